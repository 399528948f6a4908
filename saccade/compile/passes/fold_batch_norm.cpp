#include "saccade/compile/passes/fold_batch_norm.h"

#include <algorithm>
#include <cmath>

#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;

namespace {

bool all_constant(const Graph& graph, std::span<const ValueId> ids) {
  return std::ranges::all_of(
      ids, [&](ValueId id) { return id == plan::kAbsent || graph.is_constant(id); });
}

/// Element `i` of an optional vector.
double at(const Graph& graph, ValueId id, size_t i, double absent) {
  return id == plan::kAbsent ? absent : double{graph.constant_of(id).as<float>()[i]};
}

ValueId folded(Graph& to, const Value& conv, const Value& norm,
               const std::vector<ValueId>& statistics) {
  const auto& weight = to.constant_of(conv.operands[1]);
  HostTensor scaled(DType::F32, weight.shape), bias(DType::F32, {weight.shape[0]});
  const auto from = weight.as<float>();
  const auto w = scaled.fill<float>(), b = bias.fill<float>();
  const size_t each = w.size() / b.size();
  for (size_t c = 0; c < b.size(); ++c) {
    const double variance = at(to, statistics[4], c, 1.0);
    const double scale =
        at(to, statistics[1], c, 1.0) / std::sqrt(variance + plan::attribute<double>(norm, "eps"));
    for (size_t i = c * each; i < (c + 1) * each; ++i) w[i] = static_cast<float>(from[i] * scale);
    const double shift = at(to, conv.operands[2], c, 0.0) - at(to, statistics[3], c, 0.0);
    b[c] = static_cast<float>(shift * scale + at(to, statistics[2], c, 0.0));
  }
  auto operands = conv.operands;
  const auto name = weight.name;
  operands[1] = to.add_constant(plan::make_constant(name, scaled), conv.path);
  operands[2] = to.add_constant(plan::make_constant("", bias), conv.path);
  return clone_node(to, conv, std::move(operands));
}

}  // namespace

Graph fold_batch_norm(const Graph& graph) {
  const auto uses = count_uses(graph);
  Rewriter rewriter(graph);
  auto& to = rewriter.to();
  return rewriter.run([&](ValueId old) {
    if (!graph.is_node(old, Op::batch_norm)) return;
    const Value& norm = graph.value(old);
    const auto operands = rewriter.at(norm.operands);
    if (uses[static_cast<size_t>(norm.operands[0])] != 1 || !to.is_node(operands[0], Op::conv2d))
      return;
    const Value conv = to.value(operands[0]);
    if (!all_constant(to, std::span(conv.operands).subspan(1)) ||
        !all_constant(to, std::span(operands).subspan(1)))
      return;
    rewriter.replace(old, folded(to, conv, norm, operands));
  });
}

}  // namespace saccade::compile
