#include "saccade/compile/passes/mix_rows.h"

#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;
using Integers = std::vector<int64_t>;

namespace {

const Integers kSwap = {0, 2, 1};

/// Whether a value is [B, K, C] read as [B, C, K].
bool is_swap(const Graph& graph, ValueId id) {
  return graph.is_node(id, Op::permute) &&
         plan::attribute<Integers>(graph.value(id), "axes") == kSwap;
}

}  // namespace

Graph mix_rows(const Graph& graph) {
  Rewriter rewriter(graph);
  auto& to = rewriter.to();
  return rewriter.run([&](ValueId old) {
    if (!graph.is_node(old, Op::linear)) return;
    const Value& node = graph.value(old);
    const auto operands = rewriter.at(node.operands);
    if (operands[3] != plan::kAbsent || !is_swap(to, operands[0]) || !to.is_constant(operands[1]))
      return;
    const ValueId rows = to.value(operands[0]).operands[0];
    const auto& dims = to.value(rows).type.dims;
    if (dims[1].batch || dims[2].batch) return;
    const ValueId mixed =
        to.add(Op::mix, {rows, operands[1], operands[2]},
               {{"activation", plan::attribute<int64_t>(node, "activation")}}, node.path);
    rewriter.replace(old, to.add(Op::permute, {mixed}, {{"axes", kSwap}}, node.path));
  });
}

}  // namespace saccade::compile
