#include "saccade/compile/passes/fold_constants.h"

#include <algorithm>

#include "saccade/compile/ir/evaluate.h"
#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using plan::Graph, plan::ValueId;

namespace {

bool foldable(const Graph& graph, const plan::Value& node) {
  if (node.kind != plan::ValueKind::node || has_batch(node.type.dims)) return false;
  if (!ops::info(node.op).pure || node.op == ops::Op::expand) return false;
  return std::ranges::all_of(node.operands, [&](ValueId id) {
    return id == plan::kAbsent ||
           (graph.is_constant(id) && graph.constant_of(id).layout == ops::Layout::row_major);
  });
}

}  // namespace

Graph fold_constants(const Graph& graph) {
  Rewriter rewriter(graph);
  return rewriter.run([&](ValueId old) {
    auto node = graph.value(old);
    if (node.kind != plan::ValueKind::node) return;
    node.operands = rewriter.at(node.operands);
    if (!foldable(rewriter.to(), node)) return;
    std::vector<HostTensor> operands;
    operands.reserve(node.operands.size());
    for (const ValueId id : node.operands)
      operands.push_back(id == plan::kAbsent ? HostTensor()
                                             : to_tensor(rewriter.to().constant_of(id)));
    const auto result = evaluate(node, operands);
    rewriter.replace(old, rewriter.to().add_constant(plan::make_constant("", result), node.path));
  });
}

}  // namespace saccade::compile
