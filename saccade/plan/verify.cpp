#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "saccade/plan/graph.h"

namespace saccade::plan {
namespace {

/// Throws what is wrong with the value as RuleError.
template <class... Args>
void require(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds) throw ops::RuleError(fmt::format(text, std::forward<Args>(args)...));
}

void check_constant(const Graph& graph, const Value& value) {
  require(value.constant >= 0 && static_cast<size_t>(value.constant) < graph.constants.size(),
          "constant {} of {}", value.constant, graph.constants.size());
  const auto& constant = graph.constants[static_cast<size_t>(value.constant)];
  const auto size = constant_bytes(constant.dtype, constant.shape, constant.layout);
  require(size && static_cast<size_t>(*size) == constant.bytes.size(),
          "constant {} has {} bytes, which is not its size", value.constant, constant.bytes.size());
  require(value.type == constant.type(), "constant {} is {}, not {}", value.constant,
          to_string(constant.type()), to_string(value.type));
}

/// Constant row numbers: each within [0, rows).
void check_rows(const Graph& graph, ValueId id, int64_t rows, bool each_once) {
  const auto numbers = graph.constant_of(id).as<int64_t>();
  std::vector<bool> seen(each_once ? static_cast<size_t>(rows) : 0);
  for (const int64_t row : numbers) {
    require(row >= 0 && row < rows, "row number {} of {}", row, rows);
    if (!each_once) continue;
    require(!seen[static_cast<size_t>(row)], "row number {} twice", row);
    seen[static_cast<size_t>(row)] = true;
  }
}

/// Panels are a layout of weights of linear layers, and of nothing else.
void check_layouts(const Graph& graph, const Value& node) {
  for (size_t i = 0; i < node.operands.size(); ++i) {
    const ValueId id = node.operands[i];
    if (!graph.is_constant(id) || graph.constant_of(id).layout == ops::Layout::row_major) continue;
    require(node.op == ops::Op::linear && i == 1, "operand {} lies in panels", i);
  }
}

/// What stands beside int8 weights: constants that are finite, and sums that so many bytes have.
void check_quantised(const Graph& graph, const Value& node) {
  constexpr size_t kScale = 4, kSum = 5;
  if (node.op != ops::Op::linear || node.operands[kScale] == kAbsent) return;
  require(graph.is_constant(node.operands[kScale]) && graph.is_constant(node.operands[kSum]),
          "weight_scale and weight_sum must be constants");
  for (const float scale : graph.constant_of(node.operands[kScale]).as<float>())
    require(std::isfinite(scale), "weight_scale has {}", scale);
  const int64_t most = 128 * graph.value(node.operands[1]).type.dims[1].size;
  for (const int32_t sum : graph.constant_of(node.operands[kSum]).as<int32_t>())
    require(sum >= -most && sum <= most, "weight_sum has {}, beyond {}", sum, most);
}

void check_node(const Graph& graph, const Value& node, ValueId self, bool pure) {
  const auto* op = ops::find_op(node.op);
  require(op != nullptr, "operator {} is unknown", static_cast<int>(node.op));
  require(op->pure || !pure, "{} writes its operand", op->name);
  std::vector<const ops::Type*> types;
  types.reserve(node.operands.size());
  for (const ValueId id : node.operands) {
    require(id >= kAbsent && id < self, "{}: operand %{} is not computed before", op->name, id);
    types.push_back(id == kAbsent ? nullptr : &graph.value(id).type);
  }
  const auto type = ops::infer(*op, types, node.attributes);
  require(type == node.type, "{} gives {}, not {}", op->name, to_string(type),
          to_string(node.type));
  check_layouts(graph, node);
  check_quantised(graph, node);
  if (node.op == ops::Op::gather && graph.is_constant(node.operands[1])) {
    const auto& dims = graph.value(node.operands[0]).type.dims;
    const auto axis = static_cast<size_t>(attribute<int64_t>(node, "axis"));
    check_rows(graph, node.operands[1], dims[axis].size, false);
  }
  if (node.op != ops::Op::attention || node.operands[5] == kAbsent) return;
  require(graph.is_constant(node.operands[5]), "the windows' row numbers must be a constant");
  check_rows(graph, node.operands[5], node.type.dims[1].size, true);
}

void check_value(const Graph& graph, ValueId id, bool pure) {
  const auto& value = graph.value(id);
  const auto reason = type_problem(value.type);
  require(reason.empty(), "{}", reason);
  switch (value.kind) {
    case ValueKind::input: require(!value.name.empty(), "an input has no name"); break;
    case ValueKind::constant: check_constant(graph, value); break;
    case ValueKind::node: check_node(graph, value, id, pure); break;
  }
}

std::string check_names(const Graph& graph) {
  std::set<std::string_view> inputs, outputs;
  for (const auto& value : graph.values)
    if (value.kind == ValueKind::input && !inputs.insert(value.name).second)
      return fmt::format("two inputs are called \"{}\"", value.name);
  for (const auto& output : graph.outputs) {
    if (output.value < 0 || static_cast<size_t>(output.value) >= graph.values.size())
      return fmt::format("output \"{}\" is value %{}", output.name, output.value);
    if (output.name.empty() || !outputs.insert(output.name).second)
      return fmt::format("an output without a name of its own: \"{}\"", output.name);
    if (graph.is_constant(output.value) &&
        graph.constant_of(output.value).layout != ops::Layout::row_major)
      return fmt::format("output \"{}\" lies in panels", output.name);
  }
  return outputs.empty() ? "there is no output" : "";
}

}  // namespace

std::string find_problem(const Graph& graph, bool pure) {
  for (size_t i = 0; i < graph.values.size(); ++i) {
    try {
      check_value(graph, static_cast<ValueId>(i), pure);
    } catch (const ops::RuleError& e) {
      const auto& path = graph.values[i].path;
      return fmt::format("value %{}{}: {}", i, path.empty() ? "" : " (" + path + ")", e.what());
    }
  }
  return check_names(graph);
}

}  // namespace saccade::plan
