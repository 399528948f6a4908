#include "saccade/compile/passes/fuse_bias.h"

#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;

Graph fuse_bias(const Graph& graph) {
  const auto uses = count_uses(graph);
  Rewriter rewriter(graph);
  auto& to = rewriter.to();
  return rewriter.run([&](ValueId old) {
    if (!graph.is_node(old, Op::add)) return;
    const auto& operands = graph.value(old).operands;
    for (const size_t side : {size_t{0}, size_t{1}}) {
      const ValueId linear = rewriter.at(operands[side]), bias = rewriter.at(operands[1 - side]);
      if (!to.is_node(linear, Op::linear) || uses[static_cast<size_t>(operands[side])] != 1)
        continue;
      Value node = to.value(linear);
      const bool free = node.operands[2] == plan::kAbsent && node.operands[3] == plan::kAbsent &&
                        plan::attribute<int64_t>(node, "activation") == 0;
      if (!free || !to.is_constant(bias) ||
          to.value(bias).type != ops::Type{DType::F32, {node.type.dims.back()}})
        continue;
      node.operands[2] = bias;
      return rewriter.replace(old, clone_node(to, node, node.operands));
    }
  });
}

}  // namespace saccade::compile
