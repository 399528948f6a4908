#include "saccade/runtime/portion.h"

#include <algorithm>

namespace saccade::runtime {
namespace {

using ops::Op, plan::Graph, plan::Value;
using Integers = std::vector<int64_t>;

bool batch_is_outermost(const ops::Dims& dims) {
  return dims.empty() || std::ranges::none_of(dims.begin() + 1, dims.end(), &ops::Dim::batch);
}

bool depends_on_batch(const Graph& graph, plan::ValueId id) {
  return id != plan::kAbsent && ops::has_batch(graph.value(id).type.dims);
}

/// Whether the node leaves the first dimension alone.
bool spares_first_axis(const Value& node) {
  const auto first = [](int64_t axis) { return axis == 0; };
  const auto axes = [&](std::string_view name) -> const Integers& {
    return plan::attribute<Integers>(node, name);
  };
  switch (node.op) {
    case Op::softmax:
    case Op::l2_normalize:
    case Op::slice:
    case Op::concat:
    case Op::gather: return !first(plan::attribute<int64_t>(node, "axis"));
    case Op::mean:
    case Op::sum:
    case Op::amax:
    case Op::roll: return std::ranges::none_of(axes("axes"), first);
    case Op::permute: return first(axes("axes").front());
    case Op::pad: return axes("before").front() == 0 && axes("after").front() == 0;
    case Op::assign: return false;
    default: return true;
  }
}

/// Operators whose second operand is the same for every picture.
bool shares_second_operand(Op op) {
  return op == Op::linear || op == Op::mix || op == Op::conv2d || op == Op::gather;
}

bool stays_apart(const Graph& graph, const Value& node) {
  const bool takes_batch = std::ranges::any_of(
      node.operands, [&](plan::ValueId id) { return depends_on_batch(graph, id); });
  if (!takes_batch) return true;
  const auto& operands = node.operands;
  if (shares_second_operand(node.op) && operands.size() > 1 && depends_on_batch(graph, operands[1]))
    return false;
  return ops::has_batch(node.type.dims) && spares_first_axis(node);
}

}  // namespace

bool pictures_stay_apart(const Graph& graph) {
  return std::ranges::all_of(graph.values, [&](const Value& value) {
    return batch_is_outermost(value.type.dims) &&
           (value.kind != plan::ValueKind::node || stays_apart(graph, value));
  });
}

int64_t choose_portion(const Graph& graph, int64_t bytes, int64_t batch, int64_t cache_bytes) {
  int64_t portion = std::clamp<int64_t>(cache_bytes / std::max<int64_t>(bytes, 1), 1, batch);
  if (portion == batch || !pictures_stay_apart(graph)) return batch;
  while (batch % portion != 0) --portion;
  return portion;
}

}  // namespace saccade::runtime
