#include "saccade/compile/passes/dead_code.h"

#include <map>

namespace saccade::compile {

using plan::Graph, plan::Value, plan::ValueId, plan::ValueKind;

namespace {

std::vector<bool> needed_values(const Graph& graph) {
  std::vector<bool> needed(graph.values.size());
  for (const auto& output : graph.outputs) needed[static_cast<size_t>(output.value)] = true;
  for (size_t i = graph.values.size(); i-- > 0;) {
    if (graph.values[i].kind == ValueKind::input) needed[i] = true;
    if (!needed[i]) continue;
    for (const ValueId id : graph.values[i].operands)
      if (id != plan::kAbsent) needed[static_cast<size_t>(id)] = true;
  }
  return needed;
}

}  // namespace

Graph dead_code(const Graph& graph) {
  const auto needed = needed_values(graph);
  Graph out;
  std::vector<ValueId> map(graph.values.size(), plan::kAbsent);
  std::map<int32_t, int32_t> constants;  // old number -> new one
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!needed[i]) continue;
    Value value = graph.values[i];
    for (auto& id : value.operands)
      if (id != plan::kAbsent) id = map[static_cast<size_t>(id)];
    if (value.kind == ValueKind::constant) {
      const auto next = static_cast<int32_t>(out.constants.size());
      const auto [it, fresh] = constants.emplace(value.constant, next);
      if (fresh) out.constants.push_back(graph.constants[static_cast<size_t>(value.constant)]);
      value.constant = it->second;
    }
    map[i] = static_cast<ValueId>(out.values.size());
    out.values.push_back(std::move(value));
  }
  for (const auto& output : graph.outputs)
    out.add_output(output.name, map[static_cast<size_t>(output.value)]);
  return out;
}

}  // namespace saccade::compile
