#include "saccade/compile/ir/rewrite.h"

#include "saccade/base/check.h"

namespace saccade::compile {

using plan::Graph, plan::Value, plan::ValueId, plan::ValueKind;

std::vector<int> count_uses(const Graph& graph) {
  std::vector<int> uses(graph.values.size());
  for (const auto& value : graph.values)
    for (const ValueId id : value.operands)
      if (id != plan::kAbsent) ++uses[static_cast<size_t>(id)];
  for (const auto& output : graph.outputs) ++uses[static_cast<size_t>(output.value)];
  return uses;
}

ValueId Rewriter::at(ValueId old) const {
  if (old == plan::kAbsent) return plan::kAbsent;
  const ValueId id = map_[static_cast<size_t>(old)];
  SACCADE_CHECK(id != kNone, "%{} was not copied yet", old);
  return id;
}

std::vector<ValueId> Rewriter::at(const std::vector<ValueId>& old) const {
  std::vector<ValueId> out;
  out.reserve(old.size());
  for (const ValueId id : old) out.push_back(at(id));
  return out;
}

ValueId Rewriter::copy(ValueId old) {
  const Value& value = from_.value(old);
  ValueId id{};
  switch (value.kind) {
    case ValueKind::input: id = to_.add_input(value.name, value.type); break;
    case ValueKind::constant: id = to_.add_constant(from_.constant_of(old), value.path); break;
    case ValueKind::node: id = clone_node(to_, value, at(value.operands)); break;
  }
  replace(old, id);
  return id;
}

Graph Rewriter::run(const std::function<void(ValueId)>& visit) {
  for (size_t i = 0; i < from_.values.size(); ++i) {
    const auto old = static_cast<ValueId>(i);
    visit(old);
    if (map_[i] == kNone) copy(old);
  }
  for (const auto& output : from_.outputs) to_.add_output(output.name, at(output.value));
  return std::move(to_);
}

ValueId clone_node(Graph& graph, const Value& node, std::vector<ValueId> operands) {
  return graph.add_node(node.op, std::move(operands), node.attributes, node.path);
}

}  // namespace saccade::compile
