#pragma once
// The one table of operators. Compiler, verifier, plan reader, runtime and tests all read it: an
// operator is its identity, its operands and attributes, its type rule and a reference kernel in
// plain loops, which is the oracle for every faster one. Each operator gives one value.

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "saccade/ops/type.h"

namespace saccade::ops {

/// The numbers stand in plan files: never change or reuse one.
enum class Op : uint16_t {
  add = 1,
  sub = 2,
  mul = 3,
  div = 4,
  maximum = 5,
  minimum = 6,
  neg = 7,
  abs = 8,
  exp = 9,
  log = 10,
  sqrt = 11,
  rsqrt = 12,
  relu = 13,
  gelu = 14,
  silu = 15,
  sigmoid = 16,
  tanh = 17,
  clamp = 18,
  cast = 19,
  erf = 20,
  linear = 32,
  matmul = 33,
  sdpa = 34,
  attention = 35,
  mix = 36,
  softmax = 48,
  layer_norm = 49,
  batch_norm = 50,
  l2_normalize = 51,
  mean = 52,
  sum = 53,
  amax = 54,
  reshape = 64,
  permute = 65,
  slice = 66,
  concat = 67,
  pad = 68,
  roll = 69,
  expand = 70,
  gather = 71,
  assign = 72,
  conv2d = 80,
  patches = 81,
  max_pool2d = 82,
  avg_pool2d = 83,
};

/// A choice is stored as the integer that numbers it.
using Attribute = std::variant<int64_t, double, std::vector<int64_t>, Dims>;
/// One for each of the operator's attributes, in the table's order.
using Attributes = std::vector<Attribute>;
enum class AttributeKind : uint8_t { integer, real, integers, dims, choice };

struct AttributeSpec {
  std::string_view name;
  AttributeKind kind;
  std::optional<Attribute> fallback = {};
  std::vector<std::string_view> choices = {};
};

struct OperandSpec {
  std::string_view name;
  bool optional = false;
};

/// An operator that does not fit its operands or attributes; the message names no place yet.
class RuleError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Rule;
class Call;

struct OpInfo {
  Op op;
  std::string_view name;
  std::vector<OperandSpec> operands;
  std::vector<AttributeSpec> attributes;
  Type (*infer)(const Rule&);
  void (*reference)(const Call&);
  bool variadic = false;  ///< the last operand may be repeated (concat)
  bool pure = true;       ///< false: it writes an operand; only before functionalize

  /// Position of an attribute; an unknown name is a bug of ours (InternalError).
  [[nodiscard]] size_t attribute(std::string_view attribute_name) const;
};

/// Null for a number or a name that is no operator.
[[nodiscard]] const OpInfo* find_op(Op op);
[[nodiscard]] const OpInfo* find_op(std::string_view name);
[[nodiscard]] const OpInfo& info(Op op);
[[nodiscard]] std::vector<const OpInfo*> all_ops();

/// Named values for the attributes, the others from the table. Throws RuleError for a missing one.
using NamedAttributes = std::vector<std::pair<std::string_view, Attribute>>;
[[nodiscard]] Attributes complete(const OpInfo& op, const NamedAttributes& given);

/// The type of the result. `operands` has a null pointer for each optional one that is absent.
/// Throws RuleError; safe for anything that a file can say.
[[nodiscard]] Type infer(const OpInfo& op, std::span<const Type* const> operands,
                         const Attributes& attributes);

/// Values of the choice "activation", which `linear` and `conv2d` apply to their result.
enum class Activation : int64_t { none, relu, gelu, gelu_tanh, silu, sigmoid, tanh };

/// Values of the choice "precision": the arithmetic of the products of `linear` and `attention`
/// (which has no int8). Sums are fp32 or exact integers; everything else is fp32 throughout.
enum class Precision : int64_t { fp32, bf16, int8 };

}  // namespace saccade::ops
