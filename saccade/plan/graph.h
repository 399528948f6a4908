#pragma once
// What a plan computes: values in the order of their computation, each an input, a constant or the
// result of one operator. Compiler and runtime agree on this and on saccade/ops, on nothing else.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/tensor.h"
#include "saccade/ops/layout.h"
#include "saccade/ops/op.h"

namespace saccade::plan {

/// Position of a value in Graph::values.
using ValueId = int32_t;
/// An optional operand that is absent.
inline constexpr ValueId kAbsent = -1;

/// Weights, tables, scalars: bytes that `owner` keeps alive and nobody changes.
struct Constant {
  std::string name;  ///< the parameter's, or empty
  DType dtype = DType::F32;
  Shape shape;
  ops::Layout layout = ops::Layout::row_major;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  [[nodiscard]] ops::Type type() const { return {dtype, ops::fixed_dims(shape)}; }
  template <class T>
  [[nodiscard]] std::span<const T> as() const {
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

[[nodiscard]] Constant make_constant(std::string name, const HostTensor& tensor);
/// Row-major constants only.
[[nodiscard]] HostTensor to_tensor(const Constant& constant);
/// Bytes that a constant of that type, shape and layout has; nothing if there is no such constant.
[[nodiscard]] std::optional<int64_t> constant_bytes(DType dtype, const Shape& shape,
                                                    ops::Layout layout);

enum class ValueKind : uint8_t { input, constant, node };

struct Value {
  ValueKind kind = ValueKind::node;
  ops::Type type;
  std::string name;               ///< of an input
  int32_t constant = -1;          ///< position in Graph::constants
  ops::Op op{};                   ///< of a node
  std::vector<ValueId> operands;  ///< earlier values, or kAbsent
  ops::Attributes attributes;     ///< in the order of the operator's table
  std::string path;               ///< the module that computes it, for instance "blocks.0.attn.qkv"
};

struct Output {
  std::string name;
  ValueId value = 0;
};

struct Graph {
  std::vector<Value> values;
  std::vector<Output> outputs;
  std::vector<Constant> constants;

  /// The same constant may stand for several values.
  ValueId add_input(std::string name, ops::Type type);
  ValueId add_constant(Constant constant, std::string path = {});
  /// Infers the type. Throws Error (not_supported) naming operator and path if it does not fit.
  ValueId add_node(ops::Op op, std::vector<ValueId> operands, ops::Attributes attributes,
                   std::string path = {});
  /// The same with attributes by name, the others as the table has them.
  ValueId add(ops::Op op, std::vector<ValueId> operands,
              const ops::NamedAttributes& attributes = {}, std::string path = {});
  void add_output(std::string name, ValueId value) { outputs.push_back({std::move(name), value}); }

  [[nodiscard]] const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  [[nodiscard]] const Constant& constant_of(ValueId id) const {
    return constants[static_cast<size_t>(value(id).constant)];
  }
  [[nodiscard]] bool is_constant(ValueId id) const {
    return id >= 0 && value(id).kind == ValueKind::constant;
  }
  [[nodiscard]] bool is_node(ValueId id, ops::Op op) const {
    return id >= 0 && value(id).kind == ValueKind::node && value(id).op == op;
  }
};

/// What an execution may rely on: every operand earlier, types as the rules give them, constants
/// that fit, tables of row numbers within range, names of inputs and outputs present and different;
/// with `pure`, no operator that writes an operand. Returns the first problem, or an empty text.
[[nodiscard]] std::string find_problem(const Graph& graph, bool pure = true);

/// An attribute of a node by name.
template <class T>
[[nodiscard]] const T& attribute(const Value& node, std::string_view name) {
  return std::get<T>(node.attributes[ops::info(node.op).attribute(name)]);
}

}  // namespace saccade::plan
