#include "saccade/compile/passes/sink_views.h"

#include <algorithm>

#include "saccade/compile/ir/evaluate.h"
#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;
using Integers = std::vector<int64_t>;

namespace {

/// True if the view moves whole rows: the last dimension goes through untouched.
bool keeps_rows(const Graph& graph, ValueId id) {
  const auto& node = graph.value(id);
  const auto& from = graph.value(node.operands[0]).type.dims;
  const auto& to = node.type.dims;
  if (from.empty() || to.empty() || from.back() != to.back() || from.back().batch) return false;
  const auto last = static_cast<int64_t>(from.size()) - 1;
  switch (node.op) {
    case Op::reshape: return true;
    case Op::permute: return plan::attribute<Integers>(node, "axes").back() == last;
    case Op::roll: return std::ranges::count(plan::attribute<Integers>(node, "axes"), last) == 0;
    case Op::gather:  // as long as it does not make more rows
      return plan::attribute<int64_t>(node, "axis") != last &&
             ops::elements(from) == ops::elements(to);
    default: return false;
  }
}

/// The same view of rows that are `columns` long.
ValueId replay(Graph& to, const Value& view, ValueId operand, ops::Dim columns) {
  if (view.op != Op::reshape) {
    auto operands = view.operands;
    operands[0] = operand;
    return clone_node(to, view, std::move(operands));
  }
  auto dims = view.type.dims;
  dims.back() = columns;
  return to.add(Op::reshape, {operand}, {{"shape", std::move(dims)}}, view.path);
}

/// The views directly above that move rows, nearest last.
Chain row_views_above(const Graph& graph, ValueId end, ValueId& base) {
  Chain chain;
  for (base = end; is_view(graph, base) && keeps_rows(graph, base);
       base = graph.value(base).operands[0])
    chain.push_back(base);
  std::ranges::reverse(chain);
  return chain;
}

}  // namespace

Graph sink_views(const Graph& graph) {
  Rewriter rewriter(graph);
  auto& to = rewriter.to();
  return rewriter.run([&](ValueId old) {
    const auto& node = graph.value(old);
    const bool linear = graph.is_node(old, Op::linear) && node.operands[3] == plan::kAbsent;
    if (!linear) return;
    auto operands = rewriter.at(node.operands);
    ValueId base{};
    const auto chain = row_views_above(to, operands[0], base);
    const bool only_reshapes =
        std::ranges::all_of(chain, [&](ValueId id) { return to.is_node(id, Op::reshape); });
    if (only_reshapes) return;
    operands[0] = base;
    ValueId id = clone_node(to, node, operands);
    const auto columns = node.type.dims.back();
    for (const ValueId view : chain) {
      const Value copy = to.value(view);  // adding a node moves the values
      id = replay(to, copy, id, columns);
    }
    rewriter.replace(old, id);
  });
}

}  // namespace saccade::compile
