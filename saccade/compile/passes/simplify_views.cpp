#include "saccade/compile/passes/simplify_views.h"

#include <algorithm>
#include <map>

#include "saccade/compile/ir/evaluate.h"
#include "saccade/compile/ir/rewrite.h"

namespace saccade::compile {

using ops::Op, plan::Graph, plan::Value, plan::ValueId;
using Integers = std::vector<int64_t>;

namespace {

/// One picture alone would not show whether pictures swap places.
constexpr int64_t kTestBatch = 2;

/// Where the numbers of views come from, kept while the chain's base is the same.
class Places {
 public:
  explicit Places(const Graph& graph) : graph_(graph) {}

  /// The first value above `id` that has the same numbers in the same order; `id` if none has.
  ValueId origin(ValueId id) {
    ValueId base{};
    const auto chain = views_above(graph_, id, base);
    if (chain.size() < 2) return id;
    if (base != base_) known_.clear();
    base_ = base;
    const auto& own = places(id);
    if (same(places(base), own)) return base;
    for (const ValueId view : chain)
      if (view != id && same(places(view), own)) return view;
    return id;
  }

 private:
  static bool same(const HostTensor& a, const HostTensor& b) {
    return a.numel() == b.numel() && std::ranges::equal(a.as<int64_t>(), b.as<int64_t>());
  }
  const HostTensor& places(ValueId id) {
    const auto it = known_.find(id);
    if (it != known_.end()) return it->second;
    auto map = id == base_ ? index_map(graph_, base_, {}, kTestBatch)
                           : apply_view(graph_, id, places(graph_.value(id).operands[0]));
    return known_.emplace(id, std::move(map)).first->second;
  }

  const Graph& graph_;
  ValueId base_ = plan::kAbsent;
  std::map<ValueId, HostTensor> known_;
};

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

}  // namespace

Graph simplify_views(const Graph& graph) {
  Rewriter rewriter(graph);
  auto& to = rewriter.to();
  Places places(to);
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
    const ValueId from = is_view(to, id) ? places.origin(id) : id;
    rewriter.replace(old, from == id ? id : reshaped(to, from, node.type.dims, node.path));
  });
}

}  // namespace saccade::compile
