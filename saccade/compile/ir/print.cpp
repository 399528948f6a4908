#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "saccade/base/json.h"
#include "saccade/compile/ir/text.h"

namespace saccade::compile {
namespace {

using ops::Attribute, ops::AttributeKind, ops::AttributeSpec;
using plan::Graph, plan::Value, plan::ValueId, plan::ValueKind;

/// Names come from files and need not be UTF-8.
std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

constexpr std::string_view kAbsentText = "_";

std::string id_text(ValueId id) {
  return id == plan::kAbsent ? std::string(kAbsentText) : fmt::format("%{}", id);
}

std::string attribute_text(const AttributeSpec& spec, const Attribute& value) {
  switch (spec.kind) {
    case AttributeKind::integer: return fmt::format("{}", std::get<int64_t>(value));
    case AttributeKind::choice:
      return std::string(spec.choices[static_cast<size_t>(std::get<int64_t>(value))]);
    case AttributeKind::real: return fmt::format("{}", std::get<double>(value));
    case AttributeKind::integers:
      return fmt::format("[{}]", fmt::join(std::get<std::vector<int64_t>>(value), ", "));
    case AttributeKind::dims: return to_string(std::get<ops::Dims>(value));
  }
  return "";
}

std::string node_text(const Value& node) {
  const auto& op = ops::info(node.op);
  std::vector<std::string> operands, attributes;
  operands.reserve(node.operands.size());
  for (const ValueId id : node.operands) operands.push_back(id_text(id));
  while (!operands.empty() && operands.back() == kAbsentText) operands.pop_back();
  for (size_t i = 0; i < op.attributes.size(); ++i) {
    const auto& spec = op.attributes[i];
    if (spec.fallback && *spec.fallback == node.attributes[i]) continue;
    attributes.push_back(
        fmt::format("{} = {}", spec.name, attribute_text(spec, node.attributes[i])));
  }
  auto text = fmt::format("{}({})", op.name, fmt::join(operands, ", "));
  if (!attributes.empty()) text += fmt::format(" {{{}}}", fmt::join(attributes, ", "));
  return text;
}

std::string value_text(const Graph& graph, const Value& value) {
  switch (value.kind) {
    case ValueKind::input: return "input " + quoted(value.name);
    case ValueKind::constant:
      return fmt::format("constant #{} {}", value.constant,
                         quoted(graph.constants[static_cast<size_t>(value.constant)].name));
    case ValueKind::node: return node_text(value);
  }
  return "";
}

}  // namespace

std::string print(const Graph& graph) {
  std::string text;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto& value = graph.values[i];
    text += fmt::format("%{} = {} : {}{}\n", i, value_text(graph, value), to_string(value.type),
                        value.path.empty() ? "" : " @ " + quoted(value.path));
  }
  for (const auto& output : graph.outputs)
    text += fmt::format("output {} = %{}\n", quoted(output.name), output.value);
  return text;
}

}  // namespace saccade::compile
