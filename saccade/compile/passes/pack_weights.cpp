#include "saccade/compile/passes/pack_weights.h"

#include "saccade/compile/ir/rewrite.h"
#include "saccade/ops/panels.h"
#include "saccade/plan/aligned.h"

namespace saccade::compile {

using plan::Constant, plan::Graph, plan::ValueId;

namespace {

Constant in_panels(const Constant& weight) {
  const int64_t rows = weight.shape[0], columns = weight.shape[1];
  const auto size =
      static_cast<size_t>(*plan::constant_bytes(weight.dtype, weight.shape, ops::Layout::panels));
  auto memory = plan::allocate_aligned(size);
  Constant out = weight;
  out.layout = ops::Layout::panels;
  out.bytes = {memory.get(), size};
  ops::pack_panels(weight.dtype, {weight.as<float>().data(), rows, columns, columns, 1},
                   {memory.get(), size});
  out.owner = std::move(memory);
  return out;
}

bool is_packed(const Graph& graph, const plan::Value& node) {
  if (node.kind != plan::ValueKind::node || node.op != ops::Op::linear) return false;
  if (!graph.is_constant(node.operands[1])) return false;
  const auto& weight = graph.constant_of(node.operands[1]);
  return weight.layout == ops::Layout::row_major && weight.dtype == DType::F32;
}

}  // namespace

Graph pack_weights(const Graph& graph) {
  // A weight that somebody reads otherwise, too, stays as it is.
  std::vector<int> other_uses(graph.values.size());
  for (const auto& value : graph.values)
    for (size_t i = 0; i < value.operands.size(); ++i)
      if (value.operands[i] != plan::kAbsent && !(value.op == ops::Op::linear && i == 1))
        ++other_uses[static_cast<size_t>(value.operands[i])];
  for (const auto& output : graph.outputs) ++other_uses[static_cast<size_t>(output.value)];

  std::vector<bool> packed(graph.values.size());
  for (const auto& value : graph.values)
    if (is_packed(graph, value) && other_uses[static_cast<size_t>(value.operands[1])] == 0)
      packed[static_cast<size_t>(value.operands[1])] = true;

  Rewriter rewriter(graph);
  return rewriter.run([&](ValueId old) {
    if (!packed[static_cast<size_t>(old)]) return;
    rewriter.replace(
        old, rewriter.to().add_constant(in_panels(graph.constant_of(old)), graph.value(old).path));
  });
}

}  // namespace saccade::compile
