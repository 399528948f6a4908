#include "saccade/plan/graph.h"

#include <algorithm>

#include "saccade/base/check.h"
#include "saccade/base/checked.h"

namespace saccade::plan {
namespace {

std::vector<const ops::Type*> operand_types(const Graph& graph,
                                            const std::vector<ValueId>& operands) {
  std::vector<const ops::Type*> types;
  types.reserve(operands.size());
  for (const ValueId id : operands)
    types.push_back(id == kAbsent ? nullptr : &graph.value(id).type);
  return types;
}

}  // namespace

Constant make_constant(std::string name, const HostTensor& tensor) {
  auto owner = std::make_shared<HostTensor>(tensor);
  const auto bytes = owner->bytes();
  return {std::move(name),        tensor.dtype(), tensor.shape(),
          ops::Layout::row_major, bytes,          std::move(owner)};
}

HostTensor to_tensor(const Constant& constant) {
  SACCADE_CHECK(constant.layout == ops::Layout::row_major, "{} lies in panels", constant.name);
  return {constant.dtype, constant.shape, constant.bytes, constant.owner};
}

std::optional<int64_t> constant_bytes(DType dtype, const Shape& shape, ops::Layout layout) {
  if (shape.size() > ops::kMaxRank) return std::nullopt;
  const ops::Type type{dtype, ops::fixed_dims(shape)};
  if (!ops::type_problem(type).empty()) return std::nullopt;
  if (layout == ops::Layout::row_major) return ops::elements(type.dims) * bytes(dtype);
  const bool known = dtype == DType::F32 || dtype == DType::BF16 || dtype == DType::I8;
  // Filling up takes a matrix of one row to sixteen.
  if (shape.size() != 2 || !known) return std::nullopt;
  return ops::panel_bytes(dtype, shape[0], shape[1]);
}

ValueId Graph::add_input(std::string name, ops::Type type) {
  Value value;
  value.kind = ValueKind::input;
  value.name = std::move(name);
  value.type = std::move(type);
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add_constant(Constant constant, std::string path) {
  Value value;
  value.kind = ValueKind::constant;
  value.type = constant.type();
  value.path = std::move(path);
  value.constant = static_cast<int32_t>(constants.size());
  constants.push_back(std::move(constant));
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add_node(ops::Op op, std::vector<ValueId> operands, ops::Attributes attributes,
                        std::string path) {
  Value value;
  value.op = op;
  try {
    value.type = ops::infer(ops::info(op), operand_types(*this, operands), attributes);
  } catch (const ops::RuleError& e) {
    throw unsupported_error("{}: {}: {}", path.empty() ? "the graph" : path, ops::info(op).name,
                            e.what());
  }
  value.operands = std::move(operands);
  value.attributes = std::move(attributes);
  value.path = std::move(path);
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add(ops::Op op, std::vector<ValueId> operands,
                   const ops::NamedAttributes& attributes, std::string path) {
  auto complete = ops::complete(ops::info(op), attributes);
  auto& own = operands;
  while (own.size() < ops::info(op).operands.size()) own.push_back(kAbsent);
  return add_node(op, std::move(own), std::move(complete), std::move(path));
}

}  // namespace saccade::plan
