#include "saccade/plan/encode.h"

#include "saccade/base/check.h"

namespace saccade::plan {
namespace {

using ops::Attribute, ops::AttributeKind, ops::Dims, ops::OpInfo;

constexpr uint8_t kDTypes = static_cast<uint8_t>(DType::C128) + 1;
constexpr uint8_t kMaxList = 2 * ops::kMaxRank;

void encode_attribute(AttributeKind kind, const Attribute& value, ByteWriter& out) {
  switch (kind) {
    case AttributeKind::integer:
    case AttributeKind::choice: out.put(std::get<int64_t>(value)); break;
    case AttributeKind::real: out.put(std::get<double>(value)); break;
    case AttributeKind::dims: encode_dims(std::get<Dims>(value), out); break;
    case AttributeKind::integers: {
      const auto& list = std::get<std::vector<int64_t>>(value);
      out.put(static_cast<uint8_t>(list.size()));
      for (const int64_t number : list) out.put(number);
      break;
    }
  }
}

Attribute decode_attribute(AttributeKind kind, ByteReader& in) {
  switch (kind) {
    case AttributeKind::integer:
    case AttributeKind::choice: return in.get<int64_t>();
    case AttributeKind::real: return in.get<double>();
    case AttributeKind::dims: return decode_dims(in);
    case AttributeKind::integers: break;
  }
  std::vector<int64_t> list(in.get_below<uint8_t>(kMaxList + 1, "list length"));
  for (auto& number : list) number = in.get<int64_t>();
  return list;
}

void encode_value(const Value& value, std::span<const int32_t> numbers, ByteWriter& out) {
  out.put(static_cast<uint8_t>(value.kind));
  out.put_text(value.path);
  switch (value.kind) {
    case ValueKind::input:
      out.put_text(value.name);
      out.put(static_cast<uint8_t>(value.type.dtype));
      encode_dims(value.type.dims, out);
      break;
    case ValueKind::constant: out.put(numbers[static_cast<size_t>(value.constant)]); break;
    case ValueKind::node: {
      const auto& op = ops::info(value.op);
      out.put(static_cast<uint16_t>(value.op));
      out.put(static_cast<uint32_t>(value.operands.size()));
      for (const ValueId id : value.operands) out.put(id);
      for (size_t i = 0; i < op.attributes.size(); ++i)
        encode_attribute(op.attributes[i].kind, value.attributes[i], out);
      break;
    }
  }
}

void decode_input(Graph& graph, std::string path, ByteReader& in) {
  auto name = in.get_text();
  const auto dtype = static_cast<DType>(in.get_below<uint8_t>(kDTypes, "element type"));
  ops::Type type{dtype, decode_dims(in)};
  if (const auto reason = type_problem(type); !reason.empty()) throw in.fail("{}", reason);
  const auto id = graph.add_input(std::move(name), std::move(type));
  graph.values[static_cast<size_t>(id)].path = std::move(path);
}

void decode_constant(Graph& graph, std::string path, ByteReader& in) {
  Value value;
  value.kind = ValueKind::constant;
  value.path = std::move(path);
  value.constant = in.get<int32_t>();
  if (value.constant < 0 || static_cast<size_t>(value.constant) >= graph.constants.size())
    throw in.fail("constant {} of {}", value.constant, graph.constants.size());
  value.type = graph.constants[static_cast<size_t>(value.constant)].type();
  graph.values.push_back(std::move(value));
}

void decode_node(Graph& graph, std::string path, ByteReader& in) {
  const auto number = in.get<uint16_t>();
  const auto* op = ops::find_op(static_cast<ops::Op>(number));
  if (!op) throw in.fail("operator {} is unknown; the plan may be of a newer version", number);
  std::vector<ValueId> operands(in.get_count(sizeof(ValueId)));
  const auto self = static_cast<ValueId>(graph.values.size());
  for (auto& id : operands) {
    id = in.get<ValueId>();
    if (id < kAbsent || id >= self) throw in.fail("operand %{} of %{}", id, self);
  }
  ops::Attributes attributes;
  attributes.reserve(op->attributes.size());
  for (const auto& spec : op->attributes) attributes.push_back(decode_attribute(spec.kind, in));
  try {
    graph.add_node(op->op, std::move(operands), std::move(attributes), std::move(path));
  } catch (const Error& e) {
    throw in.fail("{}", e.what());
  }
}

}  // namespace

void encode_dims(const Dims& dims, ByteWriter& out) {
  out.put(static_cast<uint8_t>(dims.size()));
  for (const auto& dim : dims) {
    out.put(static_cast<uint8_t>(dim.batch));
    out.put(dim.size);
  }
}

Dims decode_dims(ByteReader& in) {
  Dims dims(in.get_below<uint8_t>(ops::kMaxRank + 1, "rank"));
  for (auto& dim : dims) {
    dim.batch = in.get_below<uint8_t>(2, "flag") != 0;
    dim.size = in.get<int64_t>();
  }
  return dims;
}

void encode_graph(const Graph& graph, std::span<const int32_t> numbers, ByteWriter& out) {
  out.put(static_cast<uint32_t>(graph.values.size()));
  for (const auto& value : graph.values) encode_value(value, numbers, out);
  out.put(static_cast<uint32_t>(graph.outputs.size()));
  for (const auto& output : graph.outputs) {
    out.put_text(output.name);
    out.put(output.value);
  }
}

Graph decode_graph(ByteReader& in, std::vector<Constant> constants) {
  Graph graph;
  graph.constants = std::move(constants);
  constexpr size_t kLeastValue = 6, kLeastOutput = 8;  // bytes
  const auto count = in.get_count(kLeastValue);
  for (uint32_t i = 0; i < count; ++i) {
    const auto kind = static_cast<ValueKind>(in.get_below<uint8_t>(3, "kind of value"));
    auto path = in.get_text();
    switch (kind) {
      case ValueKind::input: decode_input(graph, std::move(path), in); break;
      case ValueKind::constant: decode_constant(graph, std::move(path), in); break;
      case ValueKind::node: decode_node(graph, std::move(path), in); break;
    }
  }
  const auto outputs = in.get_count(kLeastOutput);
  for (uint32_t i = 0; i < outputs; ++i) {
    auto name = in.get_text();
    graph.add_output(std::move(name), in.get<ValueId>());
  }
  return graph;
}

}  // namespace saccade::plan
