#include <algorithm>
#include <limits>

#include "saccade/trace/lower.h"

namespace saccade::trace {
namespace {

using ops::Op, plan::ValueId;

template <Op op>
void unary(Lowering& in) {
  in.give(in.add(op, {in.floats(in.value(0))}));
}

/// Both operands in one type: floats where either is.
template <Op op>
void binary(Lowering& in) {
  auto a = in.value(0), b = in.value(1);
  if (in.dtype(a) != in.dtype(b) || in.dtype(a) == DType::BOOL) {
    if (!in.result_is_float()) throw in.refuse("computes with integers and numbers mixed");
    a = in.floats(a);
    b = in.floats(b);
  }
  in.give(in.add(op, {a, b}));
}

/// a + alpha b, a - alpha b
template <Op op>
void scaled_binary(Lowering& in) {
  if (!in.has(2) || in.real(2) == 1.0) return binary<op>(in);
  const auto b = in.add(Op::mul, {in.floats(in.value(1)), in.scalar(in.real(2))});
  in.give(in.add(op, {in.floats(in.value(0)), b}));
}

void rsub(Lowering& in) {
  if (in.has(2) && in.real(2) != 1.0) throw in.refuse("is supported with alpha = 1 only");
  in.give(in.add(Op::sub, {in.floats(in.value(1)), in.floats(in.value(0))}));
}

void div(Lowering& in) {
  if (in.has(2)) throw in.refuse("is supported without rounding only");
  in.give(in.add(Op::div, {in.floats(in.value(0)), in.floats(in.value(1))}));
}

/// Of two tensors; along a dimension it gives two results.
template <Op op>
void extremum(Lowering& in) {
  if (in.count() != 2) throw in.refuse("is supported between two tensors only");
  binary<op>(in);
}

void pow(Lowering& in) {
  const auto x = in.floats(in.value(0));
  const double exponent = in.real(1);
  if (exponent == 2.0) return in.give(in.add(Op::mul, {x, x}));
  if (exponent == 0.5) return in.give(in.add(Op::sqrt, {x}));
  if (exponent == 1.0) return in.give(x);
  throw in.refuse("is supported for squares and square roots only");
}

void clamp(Lowering& in) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  in.give(in.add(
      Op::clamp, {in.floats(in.value(0))},
      {{"min", in.has(1) ? in.real(1) : -kInfinity}, {"max", in.has(2) ? in.real(2) : kInfinity}}));
}
void clamp_min(Lowering& in) {
  in.give(in.add(Op::clamp, {in.floats(in.value(0))}, {{"min", in.real(1)}}));
}
void clamp_max(Lowering& in) {
  in.give(in.add(Op::clamp, {in.floats(in.value(0))}, {{"max", in.real(1)}}));
}

void gelu(Lowering& in) {
  const bool tanh = in.has(1) && in.text(1) == "tanh";
  in.give(in.add(Op::gelu, {in.value(0)}, {{"approximate", int64_t{tanh}}}));
}

void linear(Lowering& in) {
  in.give(in.add(Op::linear, {in.value(0), in.value(1), in.optional_value(2)}));
}

/// Vectors become matrices for the product, as PyTorch does.
void matmul(Lowering& in) {
  auto a = in.value(0), b = in.value(1);
  if (in.dims(a).size() < 2 || in.dims(b).size() < 2)
    throw in.refuse("is supported for matrices only");
  in.give(in.add(Op::matmul, {a, b}));
}

/// bias + a b
void addmm(Lowering& in) {
  if ((in.has(3) && in.real(3) != 1.0) || (in.has(4) && in.real(4) != 1.0))
    throw in.refuse("is supported with alpha = beta = 1 only");
  in.give(in.add(Op::add, {in.value(0), in.add(Op::matmul, {in.value(1), in.value(2)})}));
}

void conv2d(Lowering& in) {
  if (in.dims(in.value(0)).size() != 4) throw in.refuse("is supported for [B, C, H, W] only");
  if (!in.is_list(4)) throw in.refuse("is supported with numbers as padding only");
  in.give(in.add(Op::conv2d, {in.value(0), in.value(1), in.optional_value(2)},
                 {{"stride", in.pair(3)},
                  {"padding", in.pair(4)},
                  {"dilation", in.pair(5)},
                  {"groups", in.integer(6)}}));
}

void max_pool2d(Lowering& in) {
  if (in.flag(5)) throw in.refuse("is supported without ceil_mode only");
  const auto kernel = in.pair(1);
  in.give(in.add(Op::max_pool2d, {in.value(0)},
                 {{"kernel", kernel},
                  {"stride", in.integers(2).empty() ? kernel : in.pair(2)},
                  {"padding", in.pair(3)},
                  {"dilation", in.pair(4)}}));
}

void avg_pool2d(Lowering& in) {
  if (in.flag(4) || in.has(6)) throw in.refuse("is supported without ceil_mode and divisor only");
  const auto kernel = in.pair(1);
  in.give(in.add(Op::avg_pool2d, {in.value(0)},
                 {{"kernel", kernel},
                  {"stride", in.integers(2).empty() ? kernel : in.pair(2)},
                  {"padding", in.pair(3)},
                  {"count_padding", int64_t{in.flag(5)}}}));
}

void adaptive_avg_pool2d(Lowering& in) {
  const auto size = in.pair(1);
  if (size[0] != 1 || size[1] != 1) throw in.refuse("is supported for one output cell only");
  in.give(in.add(Op::mean, {in.value(0)},
                 {{"axes", std::vector<int64_t>{2, 3}}, {"keepdim", int64_t{1}}}));
}

void layer_norm(Lowering& in) {
  if (in.integers(1).size() != 1) throw in.refuse("is supported over the last dimension only");
  in.give(in.add(Op::layer_norm, {in.value(0), in.optional_value(2), in.optional_value(3)},
                 {{"eps", in.real(4)}}));
}

void batch_norm(Lowering& in) {
  if (in.flag(5)) throw in.refuse("is supported in evaluation only");
  in.give(
      in.add(Op::batch_norm,
             {in.value(0), in.optional_value(1), in.optional_value(2), in.value(3), in.value(4)},
             {{"eps", in.real(7)}}));
}

void softmax(Lowering& in) {
  const auto x = in.floats(in.value(0));
  in.give(in.add(Op::softmax, {x}, {{"axis", in.axis(1, in.dims(x).size())}}));
}

/// A boolean mask says what may be seen.
ValueId additive_mask(Lowering& in, ValueId mask) {
  if (in.dtype(mask) != DType::BOOL) return in.floats(mask);
  const auto hidden = in.add(Op::sub, {in.scalar(1.0), in.floats(mask)});
  return in.add(Op::mul, {hidden, in.scalar(std::numeric_limits<float>::lowest())});
}

void sdpa(Lowering& in) {
  if (in.has(4) && in.real(4) != 0.0) throw in.refuse("is supported without dropout only");
  if (in.flag(5)) throw in.refuse("is supported without is_causal only");
  const auto mask = in.has(3) ? additive_mask(in, in.value(3)) : plan::kAbsent;
  in.give(in.add(Op::sdpa, {in.value(0), in.value(1), in.value(2), mask},
                 {{"scale", in.has(6) ? in.real(6) : 0.0}}));
}

template <Op op>
void reduction(Lowering& in) {
  const auto x = in.floats(in.value(0));
  // mean(x) has an element type where mean(x, axes) has axes.
  const bool all = in.count() < 3 || (in.has(1) && in.is_list(1) && in.integers(1).empty());
  const auto rank = in.dims(x).size();
  const auto axes = all ? in.all_axes(rank) : in.axes(1, rank);
  in.give(in.add(op, {x}, {{"axes", axes}, {"keepdim", int64_t{in.count() > 2 && in.flag(2)}}}));
}

/// The Euclidean norm along axes; `p`, `axes` and `keepdim` are positions of arguments.
void norm(Lowering& in, size_t p, size_t axes, size_t keepdim) {
  if (in.has(p) && in.real(p) != 2.0) throw in.refuse("is supported for the Euclidean norm only");
  const auto x = in.floats(in.value(0));
  const auto squares =
      in.add(Op::sum, {in.add(Op::mul, {x, x})},
             {{"axes", in.axes(axes, in.dims(x).size())}, {"keepdim", int64_t{in.flag(keepdim)}}});
  in.give(in.add(Op::sqrt, {squares}));
}
void vector_norm(Lowering& in) { norm(in, 1, 2, 3); }

void masked_fill(Lowering& in) {
  const auto x = in.floats(in.value(0)), mask = in.floats(in.value(1));
  const auto value = in.floats(in.value(2));
  const auto kept = in.add(Op::mul, {x, in.add(Op::sub, {in.scalar(1.0), mask})});
  in.give(in.add(Op::add, {kept, in.add(Op::mul, {mask, value})}));
}

}  // namespace

std::span<const Rule> math_rules() {
  static constexpr Rule kRules[] = {
      {"abs", unary<Op::abs>},
      {"adaptive_avg_pool2d", adaptive_avg_pool2d},
      {"add", scaled_binary<Op::add>},
      {"addmm", addmm},
      {"amax", reduction<Op::amax>},
      {"avg_pool2d", avg_pool2d},
      {"batch_norm", batch_norm},
      {"bmm", matmul},
      {"clamp", clamp},
      {"clamp_max", clamp_max},
      {"clamp_min", clamp_min},
      {"conv2d", conv2d},
      {"div", div},
      {"erf", unary<Op::erf>},
      {"exp", unary<Op::exp>},
      {"gelu", gelu},
      {"layer_norm", layer_norm},
      {"linalg_vector_norm", vector_norm},
      {"linear", linear},
      {"log", unary<Op::log>},
      {"masked_fill", masked_fill},
      {"matmul", matmul},
      {"max", extremum<Op::maximum>},
      {"max_pool2d", max_pool2d},
      {"maximum", binary<Op::maximum>},
      {"mean", reduction<Op::mean>},
      {"min", extremum<Op::minimum>},
      {"minimum", binary<Op::minimum>},
      {"mm", matmul},
      {"mul", binary<Op::mul>},
      {"multiply", binary<Op::mul>},
      {"neg", unary<Op::neg>},
      {"norm", vector_norm},
      {"pow", pow},
      {"relu", unary<Op::relu>},
      {"rsqrt", unary<Op::rsqrt>},
      {"rsub", rsub},
      {"scaled_dot_product_attention", sdpa},
      {"sigmoid", unary<Op::sigmoid>},
      {"silu", unary<Op::silu>},
      {"softmax", softmax},
      {"sqrt", unary<Op::sqrt>},
      {"sub", scaled_binary<Op::sub>},
      {"sum", reduction<Op::sum>},
      {"tanh", unary<Op::tanh>},
  };
  return kRules;
}

}  // namespace saccade::trace
