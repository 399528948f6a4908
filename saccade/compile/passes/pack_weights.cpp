#include "saccade/compile/passes/pack_weights.h"

#include <map>
#include <utility>

#include "saccade/compile/ir/rewrite.h"
#include "saccade/ops/panels.h"
#include "saccade/plan/aligned.h"

namespace saccade::compile {

using ops::Precision, plan::Constant, plan::Graph, plan::Value, plan::ValueId;

namespace {

DType panel_type(Precision precision) {
  switch (precision) {
    case Precision::fp32: return DType::F32;
    case Precision::bf16: return DType::BF16;
    case Precision::int8: return DType::I8;
  }
  return DType::F32;
}

/// A weight as a layer reads it; scale and sum are absent unless it is int8.
struct Packed {
  ValueId panels = plan::kAbsent, scale = plan::kAbsent, sum = plan::kAbsent;
};

template <class T>
Constant vector_constant(const std::string& name, const std::vector<T>& values) {
  return plan::make_constant(
      name, HostTensor::of({static_cast<int64_t>(values.size())}, std::span<const T>(values)));
}

Packed pack(const Constant& weight, Precision precision, const std::string& path, Graph& to) {
  const int64_t rows = weight.shape[0], columns = weight.shape[1];
  const DType type = panel_type(precision);
  const auto size =
      static_cast<size_t>(*plan::constant_bytes(type, weight.shape, ops::Layout::panels));
  auto memory = plan::allocate_aligned(size);
  const std::span<std::byte> room{memory.get(), size};
  const ops::MatrixView view{weight.as<float>().data(), rows, columns, columns, 1};
  ops::Int8Columns quantised;
  if (precision == Precision::int8)
    quantised = ops::pack_int8_panels(view, room);
  else
    ops::pack_panels(type, view, room);
  Packed out;
  out.panels = to.add_constant(
      {weight.name, type, weight.shape, ops::Layout::panels, room, std::move(memory)}, path);
  if (precision != Precision::int8) return out;
  out.scale = to.add_constant(vector_constant(weight.name + ".scale", quantised.scale), path);
  out.sum = to.add_constant(vector_constant(weight.name + ".sum", quantised.sum), path);
  return out;
}

class Packing {
 public:
  explicit Packing(const Graph& graph)
      : graph_(graph), packable_(packable_weights(graph)), rewriter_(graph) {}

  Graph run() {
    return rewriter_.run([&](ValueId old) {
      if (packable_[static_cast<size_t>(old)])
        rewriter_.replace(old, plan::kAbsent);  // each layer asks for its own form
      else if (graph_.is_node(old, ops::Op::linear))
        replace_layer(old);
    });
  }

 private:
  void replace_layer(ValueId old) {
    const Value& node = graph_.value(old);
    const ValueId weight = node.operands[1];
    if (!packable_[static_cast<size_t>(weight)]) return;
    const auto precision = static_cast<Precision>(plan::attribute<int64_t>(node, "precision"));
    const auto [at, is_new] = packed_.try_emplace({weight, precision});
    if (is_new)
      at->second =
          pack(graph_.constant_of(weight), precision, graph_.value(weight).path, rewriter_.to());
    auto operands = rewriter_.at(node.operands);
    operands[1] = at->second.panels;
    operands[4] = at->second.scale;
    operands[5] = at->second.sum;
    rewriter_.replace(old, clone_node(rewriter_.to(), node, std::move(operands)));
  }

  const Graph& graph_;
  std::vector<bool> packable_;
  Rewriter rewriter_;
  std::map<std::pair<ValueId, Precision>, Packed> packed_;
};

}  // namespace

std::vector<bool> packable_weights(const Graph& graph) {
  std::vector<int> weight_uses(graph.values.size());
  for (const auto& value : graph.values)
    if (value.kind == plan::ValueKind::node && value.op == ops::Op::linear)
      ++weight_uses[static_cast<size_t>(value.operands[1])];
  const auto uses = count_uses(graph);
  std::vector<bool> packable(graph.values.size());
  for (size_t i = 0; i < packable.size(); ++i) {
    if (weight_uses[i] == 0 || weight_uses[i] != uses[i]) continue;
    if (!graph.is_constant(static_cast<ValueId>(i))) continue;
    const auto& weight = graph.constant_of(static_cast<ValueId>(i));
    packable[i] = weight.layout == ops::Layout::row_major && weight.dtype == DType::F32;
  }
  return packable;
}

Graph pack_weights(const Graph& graph) { return Packing(graph).run(); }

}  // namespace saccade::compile
