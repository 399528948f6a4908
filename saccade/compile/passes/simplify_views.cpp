#include "saccade/compile/passes/simplify_views.h"

#include <algorithm>

#include "saccade/compile/ir/evaluate.h"
#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;
using Integers = std::vector<int64_t>;

namespace {

/// Batch sizes at which a chain must change nothing: one alone would not show whether pictures
/// swap places.
constexpr int64_t kTestBatch = 2;

bool changes_nothing(const Graph& graph, ValueId base, const Chain& chain) {
  const auto map = index_map(graph, base, chain, kTestBatch);
  const auto numbers = map.as<int64_t>();
  for (size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i] != static_cast<int64_t>(i)) return false;
  return true;
}

/// The value under another shape; the value itself if it has that shape already.
ValueId reshaped(Graph& to, ValueId id, const ops::Dims& dims, const std::string& path) {
  if (to.value(id).type.dims == dims) return id;
  if (to.is_node(id, Op::reshape)) return reshaped(to, to.value(id).operands[0], dims, path);
  return to.add(Op::reshape, {id}, {{"shape", dims}}, path);
}

/// A permutation behind a permutation, as one; of dimensions of size 1 alone, as a reshape.
ValueId permuted(Graph& to, ValueId id, Integers axes, const Value& node) {
  if (to.is_node(id, Op::permute)) {
    const auto first = plan::attribute<Integers>(to.value(id), "axes");
    for (auto& axis : axes) axis = first[static_cast<size_t>(axis)];
    id = to.value(id).operands[0];
  }
  const auto& dims = to.value(id).type.dims;
  int64_t last = -1;
  bool in_order = true;
  for (const int64_t axis : axes) {
    if (dims[static_cast<size_t>(axis)] == ops::Dim{}) continue;
    in_order = in_order && axis > last;
    last = axis;
  }
  if (in_order) return reshaped(to, id, node.type.dims, node.path);
  return to.add(Op::permute, {id}, {{"axes", std::move(axes)}}, node.path);
}

/// The longest part of the chain that ends here and changes nothing begins at the returned value.
ValueId origin(const Graph& to, ValueId id) {
  ValueId base{};
  const auto chain = views_above(to, id, base);
  const auto count = ops::elements(to.value(id).type.dims);
  for (size_t start = 0; start + 1 < chain.size(); ++start) {
    const ValueId from = start == 0 ? base : chain[start - 1];
    if (ops::elements(to.value(from).type.dims) != count ||
        has_batch(to.value(from).type.dims) != has_batch(to.value(id).type.dims))
      continue;
    if (changes_nothing(to, from,
                        Chain(chain.begin() + static_cast<std::ptrdiff_t>(start), chain.end())))
      return from;
  }
  return id;
}

}  // namespace

Graph simplify_views(const Graph& graph) {
  Rewriter rewriter(graph);
  auto& to = rewriter.to();
  return rewriter.run([&](ValueId old) {
    const auto& node = graph.value(old);
    if (node.kind != plan::ValueKind::node || node.operands.empty()) return;
    if (node.op == Op::expand && graph.value(node.operands[0]).type == node.type)
      return rewriter.replace(old, rewriter.at(node.operands[0]));
    if (!is_view(graph, old)) return;
    const ValueId operand = rewriter.at(node.operands[0]);
    ValueId id{};
    if (node.op == Op::reshape)
      id = reshaped(to, operand, node.type.dims, node.path);
    else if (node.op == Op::permute)
      id = permuted(to, operand, plan::attribute<Integers>(node, "axes"), node);
    else
      id = clone_node(to, node, rewriter.at(node.operands));
    const ValueId from = origin(to, id);
    rewriter.replace(old, from == id ? id : reshaped(to, from, node.type.dims, node.path));
  });
}

}  // namespace saccade::compile
