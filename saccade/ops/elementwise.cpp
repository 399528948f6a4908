// Operators that work on each number by itself; two operands broadcast as in NumPy.

#include <algorithm>
#include <cstring>
#include <limits>

#include "saccade/ops/context.h"

namespace saccade::ops {
namespace {

/// Both sizes as one, or an error: equal, or one of them is 1.
Dim broadcast(const Rule& rule, const Dim& a, const Dim& b) {
  if (a == b || b == Dim{}) return a;
  rule.require(a == Dim{}, "{} and {} do not broadcast", to_string(a), to_string(b));
  return b;
}

Type infer_binary(const Rule& rule) {
  const auto &a = rule.operand(0), &b = rule.operand(1);
  rule.require(a.dtype == b.dtype, "{} and {} differ in type", to_string(a), to_string(b));
  rule.require(a.dtype == DType::F32 || a.dtype == DType::I64, "no arithmetic on {}", to_string(a));
  const auto& longer = a.dims.size() >= b.dims.size() ? a.dims : b.dims;
  const auto& shorter = a.dims.size() >= b.dims.size() ? b.dims : a.dims;
  Type out{a.dtype, longer};
  const size_t missing = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i)
    out.dims[missing + i] = broadcast(rule, longer[missing + i], shorter[i]);
  return out;
}

template <class T, class F>
void apply_binary(const Call& call, F f) {
  const auto& shape = call.result().shape;
  const auto *a = call.operand(0).as<T>(), *b = call.operand(1).as<T>();
  T* out = call.result().as<T>();
  walk<2>(shape, {broadcast_strides(call.shape(0), shape), broadcast_strides(call.shape(1), shape)},
          [&](int64_t i, const auto& at, const auto&) { out[i] = f(a[at[0]], b[at[1]]); });
}

template <class F>
void binary(const Call& call) {
  if (call.result().dtype == DType::I64)
    apply_binary<int64_t>(call, F{});
  else
    apply_binary<float>(call, F{});
}

// Unsigned arithmetic, because integers from a file may overflow.
struct Add {
  float operator()(float a, float b) const { return a + b; }
  int64_t operator()(int64_t a, int64_t b) const {
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
};
struct Sub {
  float operator()(float a, float b) const { return a - b; }
  int64_t operator()(int64_t a, int64_t b) const {
    return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  }
};
struct Mul {
  float operator()(float a, float b) const { return a * b; }
  int64_t operator()(int64_t a, int64_t b) const {
    return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
};
/// Integers: towards zero; 0 where the divisor is 0 or the quotient has no number.
struct Div {
  float operator()(float a, float b) const { return a / b; }
  int64_t operator()(int64_t a, int64_t b) const {
    if (b == 0 || (b == -1 && a == std::numeric_limits<int64_t>::min())) return 0;
    return a / b;
  }
};
/// NaN wins, as in PyTorch.
struct Maximum {
  float operator()(float a, float b) const { return a > b || std::isnan(a) ? a : b; }
  int64_t operator()(int64_t a, int64_t b) const { return std::max(a, b); }
};
struct Minimum {
  float operator()(float a, float b) const { return a < b || std::isnan(a) ? a : b; }
  int64_t operator()(int64_t a, int64_t b) const { return std::min(a, b); }
};

Type infer_unary(const Rule& rule) {
  rule.require_float(0);
  return rule.operand(0);
}

template <class F>
void map_floats(const Call& call, F f) {
  const int64_t count = call.result().shape.count();
  std::transform(call.floats(0), call.floats(0) + count, call.floats(), f);
}

template <float (*F)(float)>
void unary(const Call& call) {
  map_floats(call, F);
}

float negate(float x) { return -x; }
float reciprocal_root(float x) { return 1.0F / std::sqrt(x); }

template <Activation A>
float activation(float x) {
  return activate(A, x);
}

void gelu(const Call& call) {
  const bool exact = call.integer("approximate") == 0;
  map_floats(
      call, [&](float x) { return activate(exact ? Activation::gelu : Activation::gelu_tanh, x); });
}

void clamp(const Call& call) {
  const auto low = static_cast<float>(call.real("min")),
             high = static_cast<float>(call.real("max"));
  map_floats(call, [&](float x) { return std::isnan(x) ? x : std::min(std::max(x, low), high); });
}

constexpr std::array kCastTypes = {DType::F32, DType::I64, DType::BOOL};

Type infer_cast(const Rule& rule) {
  const auto from = rule.operand(0).dtype;
  rule.require(std::ranges::find(kCastTypes, from) != kCastTypes.end(), "no cast from {}",
               name(from));
  return {kCastTypes[static_cast<size_t>(rule.integer("dtype"))], rule.shape(0)};
}

/// What lies outside the integers becomes the nearest one; NaN becomes 0.
int64_t to_integer(float x) {
  if (std::isnan(x)) return 0;
  if (x >= 9.2233715e18F) return std::numeric_limits<int64_t>::max();
  if (x <= -9.2233715e18F) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(x);
}

double read(const Operand& operand, int64_t i) {
  if (operand.dtype == DType::F32) return operand.as<float>()[i];
  if (operand.dtype == DType::I64) return static_cast<double>(operand.as<int64_t>()[i]);
  return operand.as<uint8_t>()[i] != 0 ? 1.0 : 0.0;
}

void cast(const Call& call) {
  const auto& from = call.operand(0);
  const auto& to = call.result();
  const int64_t count = to.shape.count();
  if (from.dtype == to.dtype) {
    std::memcpy(to.data, from.data, static_cast<size_t>(count * bytes(to.dtype)));
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    const double value = read(from, i);
    if (to.dtype == DType::F32)
      to.as<float>()[i] = static_cast<float>(value);
    else if (to.dtype == DType::I64)
      to.as<int64_t>()[i] = to_integer(static_cast<float>(value));
    else
      to.as<uint8_t>()[i] = value != 0.0 ? 1 : 0;
  }
}

OpInfo binary_op(Op op, std::string_view name, void (*kernel)(const Call&)) {
  return {op, name, {{"a"}, {"b"}}, {}, infer_binary, kernel};
}

OpInfo unary_op(Op op, std::string_view name, void (*kernel)(const Call&)) {
  return {op, name, {{"x"}}, {}, infer_unary, kernel};
}

}  // namespace

float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return x > 0.0F || std::isnan(x) ? x : 0.0F;
    case Activation::gelu: return 0.5F * x * (1.0F + std::erf(x * 0.70710678F));
    case Activation::gelu_tanh:
      return 0.5F * x * (1.0F + std::tanh(0.79788456F * (x + 0.044715F * x * x * x)));
    case Activation::silu: return x / (1.0F + std::exp(-x));
    case Activation::sigmoid: return 1.0F / (1.0F + std::exp(-x));
    case Activation::tanh: return std::tanh(x);
  }
  return x;
}

std::span<const OpInfo> elementwise_ops() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static const std::vector<OpInfo> ops = {
      binary_op(Op::add, "add", binary<Add>),
      binary_op(Op::sub, "sub", binary<Sub>),
      binary_op(Op::mul, "mul", binary<Mul>),
      binary_op(Op::div, "div", binary<Div>),
      binary_op(Op::maximum, "maximum", binary<Maximum>),
      binary_op(Op::minimum, "minimum", binary<Minimum>),
      unary_op(Op::neg, "neg", unary<negate>),
      unary_op(Op::abs, "abs", unary<std::abs>),
      unary_op(Op::exp, "exp", unary<std::exp>),
      unary_op(Op::log, "log", unary<std::log>),
      unary_op(Op::sqrt, "sqrt", unary<std::sqrt>),
      unary_op(Op::rsqrt, "rsqrt", unary<reciprocal_root>),
      unary_op(Op::erf, "erf", unary<std::erf>),
      unary_op(Op::relu, "relu", unary<activation<Activation::relu>>),
      unary_op(Op::silu, "silu", unary<activation<Activation::silu>>),
      unary_op(Op::sigmoid, "sigmoid", unary<activation<Activation::sigmoid>>),
      unary_op(Op::tanh, "tanh", unary<activation<Activation::tanh>>),
      {Op::gelu,
       "gelu",
       {{"x"}},
       {{"approximate", AttributeKind::choice, int64_t{0}, {"none", "tanh"}}},
       infer_unary,
       gelu},
      {Op::clamp,
       "clamp",
       {{"x"}},
       {{"min", AttributeKind::real, -kInfinity}, {"max", AttributeKind::real, kInfinity}},
       infer_unary,
       clamp},
      {Op::cast,
       "cast",
       {{"x"}},
       {{"dtype", AttributeKind::choice, {}, {"F32", "I64", "BOOL"}}},
       infer_cast,
       cast},
  };
  return ops;
}

}  // namespace saccade::ops
