#include "saccade/compile/passes/fuse_normalize.h"

#include <cmath>

#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::ValueId;
using Integers = std::vector<int64_t>;

namespace {

/// The operand of a node of that operator, or kAbsent.
ValueId below(const Graph& graph, ValueId id, Op op) {
  return graph.is_node(id, op) ? graph.value(id).operands[0] : plan::kAbsent;
}

/// The axis of the sum, or -1 if this is no such division.
int64_t normalized_axis(const Graph& graph, const plan::Value& node) {
  const ValueId clamp = node.operands[1];
  if (!graph.is_node(clamp, Op::clamp) ||
      !std::isinf(plan::attribute<double>(graph.value(clamp), "max")))
    return -1;
  const ValueId sum = below(graph, graph.value(clamp).operands[0], Op::sqrt);
  const ValueId square = below(graph, sum, Op::sum);
  if (square == plan::kAbsent || !graph.is_node(square, Op::mul)) return -1;
  const auto& factors = graph.value(square).operands;
  const auto& axes = plan::attribute<Integers>(graph.value(sum), "axes");
  const bool fits = factors[0] == node.operands[0] && factors[1] == node.operands[0] &&
                    axes.size() == 1 && plan::attribute<int64_t>(graph.value(sum), "keepdim") != 0;
  return fits ? axes[0] : -1;
}

}  // namespace

Graph fuse_normalize(const Graph& graph) {
  Rewriter rewriter(graph);
  return rewriter.run([&](ValueId old) {
    const auto& node = graph.value(old);
    if (!graph.is_node(old, Op::div)) return;
    const int64_t axis = normalized_axis(graph, node);
    if (axis < 0) return;
    const auto& clamp = graph.value(node.operands[1]);
    rewriter.replace(
        old, rewriter.to().add(Op::l2_normalize, {rewriter.at(node.operands[0])},
                               {{"axis", axis}, {"eps", plan::attribute<double>(clamp, "min")}},
                               node.path));
  });
}

}  // namespace saccade::compile
