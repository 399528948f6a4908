// Normalisations and sums over dimensions. Sums run in double in index order.

#include <algorithm>
#include <limits>

#include "saccade/ops/context.h"

namespace saccade::ops {
namespace {

Type same_floats(const Rule& rule) {
  rule.require_float(0);
  return rule.operand(0);
}

Type infer_along_axis(const Rule& rule) {
  static_cast<void>(rule.axis(rule.integer("axis"), rule.shape(0).size()));
  return same_floats(rule);
}

/// Calls body(first element, step) for each line of x along the axis.
template <class Body>
void lines(const Extents& shape, int axis, Body body) {
  const int64_t outer = shape.product(0, axis), inner = shape.product(axis + 1, shape.rank);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) body(o * shape[axis] * inner + i, inner);
}

void softmax(const Call& call) {
  const auto& shape = call.shape(0);
  const auto axis = static_cast<int>(call.integer("axis"));
  const float* x = call.floats(0);
  float* y = call.floats();
  lines(shape, axis, [&](int64_t first, int64_t step) {
    const int64_t end = first + shape[axis] * step;
    float largest = -std::numeric_limits<float>::infinity();
    for (int64_t i = first; i < end; i += step) largest = std::max(largest, x[i]);
    double sum = 0.0;
    for (int64_t i = first; i < end; i += step) sum += y[i] = std::exp(x[i] - largest);
    const auto scale = static_cast<float>(1.0 / sum);
    for (int64_t i = first; i < end; i += step) y[i] *= scale;
  });
}

void l2_normalize(const Call& call) {
  const auto& shape = call.shape(0);
  const auto axis = static_cast<int>(call.integer("axis"));
  const float* x = call.floats(0);
  float* y = call.floats();
  lines(shape, axis, [&](int64_t first, int64_t step) {
    const int64_t end = first + shape[axis] * step;
    double squares = 0.0;
    for (int64_t i = first; i < end; i += step) squares += double{x[i]} * x[i];
    const double norm = std::max(std::sqrt(squares), call.real("eps"));
    for (int64_t i = first; i < end; i += step) y[i] = static_cast<float>(x[i] / norm);
  });
}

Type infer_layer_norm(const Rule& rule) {
  rule.require_rank(0, 1);
  const auto& last = rule.shape(0).back();
  rule.require(!last.batch, "the normalised dimension may not depend on N");
  rule.require(rule.real("eps") >= 0.0, "eps is negative");
  for (size_t i = 1; i <= 2; ++i)
    if (rule.has(i)) rule.require_type(i, {DType::F32, {last}});
  if (rule.has(3)) rule.require_type(3, rule.operand(0));
  return same_floats(rule);
}

/// result = normalised x * weight + bias + residual
void layer_norm(const Call& call) {
  const int64_t size = call.shape(0).last(), rows = call.shape(0).count() / size;
  const double eps = call.real("eps");
  for (int64_t r = 0; r < rows; ++r) {
    const float* x = call.floats(0) + r * size;
    float* y = call.floats() + r * size;
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < size; ++i) sum += x[i];
    const double mean = sum / static_cast<double>(size);
    for (int64_t i = 0; i < size; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(size) + eps);
    for (int64_t i = 0; i < size; ++i) {
      const double weight = call.has(1) ? call.floats(1)[i] : 1.0;
      const double bias = call.has(2) ? call.floats(2)[i] : 0.0;
      const double residual = call.has(3) ? call.floats(3)[r * size + i] : 0.0;
      y[i] = static_cast<float>((x[i] - mean) * scale * weight + bias + residual);
    }
  }
}

Type infer_batch_norm(const Rule& rule) {
  rule.require_rank(0, 2);
  const auto& channels = rule.shape(0)[1];
  rule.require(!channels.batch, "the channels may not depend on N");
  for (size_t i = 1; i <= 4; ++i)
    if (rule.has(i)) rule.require_type(i, {DType::F32, {channels}});
  return same_floats(rule);
}

/// Evaluation: with the running statistics.
void batch_norm(const Call& call) {
  const auto& shape = call.shape(0);
  const int64_t channels = shape[1], inner = shape.product(2, shape.rank);
  for (int64_t plane = 0; plane < shape[0] * channels; ++plane) {
    const int64_t c = plane % channels;
    const double weight = call.has(1) ? call.floats(1)[c] : 1.0;
    const double bias = call.has(2) ? call.floats(2)[c] : 0.0;
    const double scale = weight / std::sqrt(call.floats(4)[c] + call.real("eps"));
    const double shift = bias - call.floats(3)[c] * scale;
    const float* x = call.floats(0) + plane * inner;
    float* y = call.floats() + plane * inner;
    for (int64_t i = 0; i < inner; ++i) y[i] = static_cast<float>(x[i] * scale + shift);
  }
}

Type infer_reduction(const Rule& rule) {
  rule.require_float(0);
  auto dims = rule.shape(0);
  std::vector<bool> reduced(dims.size());
  for (const int64_t axis : rule.integers("axes")) {
    const size_t place = rule.axis(axis, dims.size());
    rule.require(!dims[place].batch, "the reduced dimension may not depend on N");
    reduced[place] = true;
  }
  Type out{DType::F32, {}};
  for (size_t i = 0; i < dims.size(); ++i) {
    if (!reduced[i]) out.dims.push_back(dims[i]);
    if (reduced[i] && rule.integer("keepdim") != 0) out.dims.push_back({});
  }
  return out;
}

/// Combines the elements of each reduced group in index order: body(sum, x) -> sum.
template <class Step>
void reduce(const Call& call, double start, Step step, bool average) {
  const auto& shape = call.shape(0);
  std::array<bool, kMaxRank> reduced{};
  int64_t group = 1;
  for (const int64_t axis : call.integers("axes")) reduced[static_cast<size_t>(axis)] = true;
  Extents kept_shape, kept_strides, group_shape, group_strides;
  const Extents strides = strides_of(shape);
  for (int axis = 0; axis < shape.rank; ++axis) {
    const bool sum = reduced[static_cast<size_t>(axis)];
    auto& to = sum ? group_shape : kept_shape;
    auto& to_strides = sum ? group_strides : kept_strides;
    to[to.rank++] = shape[axis];
    to_strides[to_strides.rank++] = strides[axis];
    if (sum) group *= shape[axis];
  }
  const float* x = call.floats(0);
  float* y = call.floats();
  walk<1>(kept_shape, {kept_strides}, [&](int64_t o, const auto& base, const auto&) {
    double total = start;
    walk<1>(group_shape, {group_strides}, [&](int64_t, const auto& at, const auto&) {
      total = step(total, double{x[base[0] + at[0]]});
    });
    y[o] = static_cast<float>(average ? total / static_cast<double>(group) : total);
  });
}

double plus(double a, double b) { return a + b; }
void sum(const Call& call) { reduce(call, 0.0, plus, false); }
void mean(const Call& call) { reduce(call, 0.0, plus, true); }
void amax(const Call& call) {
  reduce(
      call, -std::numeric_limits<double>::infinity(),
      [](double a, double b) { return b > a || std::isnan(b) ? b : a; }, false);
}

OpInfo reduction(Op op, std::string_view name, void (*kernel)(const Call&)) {
  return {op,
          name,
          {{"x"}},
          {{"axes", AttributeKind::integers}, {"keepdim", AttributeKind::integer, int64_t{0}}},
          infer_reduction,
          kernel};
}

}  // namespace

std::span<const OpInfo> normalize_ops() {
  static const std::vector<OpInfo> ops = {
      {Op::softmax,
       "softmax",
       {{"x"}},
       {{"axis", AttributeKind::integer}},
       infer_along_axis,
       softmax},
      {Op::l2_normalize,
       "l2_normalize",
       {{"x"}},
       {{"axis", AttributeKind::integer}, {"eps", AttributeKind::real, 1e-12}},
       infer_along_axis,
       l2_normalize},
      {Op::layer_norm,
       "layer_norm",
       {{"x"}, {"weight", true}, {"bias", true}, {"residual", true}},
       {{"eps", AttributeKind::real, 1e-5}},
       infer_layer_norm,
       layer_norm},
      {Op::batch_norm,
       "batch_norm",
       {{"x"}, {"weight", true}, {"bias", true}, {"mean"}, {"variance"}},
       {{"eps", AttributeKind::real, 1e-5}},
       infer_batch_norm,
       batch_norm},
      reduction(Op::mean, "mean", mean),
      reduction(Op::sum, "sum", sum),
      reduction(Op::amax, "amax", amax),
  };
  return ops;
}

}  // namespace saccade::ops
