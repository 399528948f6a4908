#include "saccade/compile/passes/lower_conv.h"

#include <cmath>

#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;
using Integers = std::vector<int64_t>;

namespace {

bool is_lowered(const Graph& graph, const Value& node) {
  return node.kind == plan::ValueKind::node && node.op == Op::conv2d &&
         plan::attribute<int64_t>(node, "groups") == 1 && graph.is_constant(node.operands[1]);
}

/// The weight [out, in, kh, kw] with other bytes under the shape [out, in * kh * kw].
plan::Constant as_matrix(plan::Constant weight) {
  weight.shape = {weight.shape[0], weight.shape[1] * weight.shape[2] * weight.shape[3]};
  return weight;
}

ValueId lower(Graph& to, const Value& node, const std::vector<ValueId>& operands,
              const plan::Constant& weight) {
  const auto rows = to.add(Op::patches, {operands[0]},
                           {{"kernel", Integers{weight.shape[2], weight.shape[3]}},
                            {"stride", plan::attribute<Integers>(node, "stride")},
                            {"padding", plan::attribute<Integers>(node, "padding")},
                            {"dilation", plan::attribute<Integers>(node, "dilation")}},
                           node.path);
  const auto matrix = to.add_constant(as_matrix(weight), node.path);
  // [B, positions, C]
  const auto product = to.add(Op::linear, {rows, matrix, operands[2]}, {}, node.path);
  const auto channels_first = to.add(Op::permute, {product}, {{"axes", Integers{0, 2, 1}}});
  return to.add(Op::reshape, {channels_first}, {{"shape", node.type.dims}});
}

}  // namespace

Graph lower_conv(const Graph& graph) {
  Rewriter rewriter(graph);
  return rewriter.run([&](ValueId old) {
    const auto& node = graph.value(old);
    if (!is_lowered(graph, node)) return;
    rewriter.replace(old, lower(rewriter.to(), node, rewriter.at(node.operands),
                                graph.constant_of(node.operands[1])));
  });
}

}  // namespace saccade::compile
