#include "saccade/ops/linear.h"

#include <algorithm>

namespace saccade::ops {
namespace {

// Positions of the operands.
constexpr size_t kX = 0, kWeight = 1, kBias = 2, kResidual = 3, kScale = 4, kSum = 5;
constexpr int64_t kDynamicZero = 128;

Precision precision_of(const AttributeView& view) {
  return static_cast<Precision>(view.integer("precision"));
}

/// The weight's type fits the precision: its own, or F32 as long as it is not packed.
void require_weight(const Rule& rule, Precision precision) {
  const auto& type = rule.operand(kWeight);
  rule.require(type.dims.size() == 2 && !has_batch(type.dims),
               "the weight is {}; 2 fixed dimensions are expected", to_string(type));
  const DType own = precision == Precision::fp32   ? DType::F32
                    : precision == Precision::bf16 ? DType::BF16
                                                   : DType::I8;
  rule.require(type.dtype == own || type.dtype == DType::F32,
               "the weight is {}; {} is expected for this precision", to_string(type), name(own));
}

/// Scales and sums stand beside int8 weights, and there alone.
void require_quantisation(const Rule& rule, Precision precision) {
  const bool packed = rule.operand(kWeight).dtype == DType::I8;
  rule.require(rule.has(kScale) == packed && rule.has(kSum) == packed,
               "weight_scale and weight_sum belong to I8 weights");
  const double scale = rule.real("input_scale");
  const int64_t zero = rule.integer("input_zero");
  // Within these bounds a scale and its inverse are ordinary floats.
  rule.require(scale == 0.0 || (scale > 1e-30 && scale < 1e30), "input_scale {}", scale);
  rule.require(zero >= 0 && zero <= 255, "input_zero {} is outside 0 to 255", zero);
  if (precision != Precision::int8) {
    rule.require(scale == 0.0 && zero == kDynamicZero, "input_scale and input_zero belong to int8");
    return;
  }
  const auto& weight = rule.shape(kWeight);
  rule.require(weight[1].size <= kMaxInt8Depth, "{} columns; int8 sums have up to {}",
               weight[1].size, kMaxInt8Depth);
  if (!packed) return;
  rule.require_type(kScale, {DType::F32, {weight[0]}});
  rule.require_type(kSum, {DType::I32, {weight[0]}});
}

float rounded_to_bf16(float value) { return bf16_to_float(float_to_bf16(value)); }

/// One row of the weight, wherever it lies, as its precision multiplies it.
class WeightRow {
 public:
  WeightRow(const Call& call, Precision precision, int64_t row)
      : weight_(call.operand(kWeight)), precision_(precision) {
    const bool panels = weight_.layout == Layout::panels;
    const int64_t columns = weight_.shape[1];
    group_ = panels ? panel_group(weight_.dtype) : 1;
    stride_ = panels ? kPanelWidth * group_ : 1;
    base_ = panels ? panel_index(weight_.dtype, columns, row, 0) : row * columns;
    if (precision == Precision::int8) quantise(call, row, columns);
  }
  [[nodiscard]] double operator[](int64_t column) const {
    const float value = stored(column);
    if (weight_.dtype != DType::F32 || precision_ == Precision::fp32) return value;
    if (precision_ == Precision::bf16) return rounded_to_bf16(value);
    return std::clamp(std::nearbyint(value / static_cast<float>(scale_)), -127.0F, 127.0F);
  }
  /// int8: what a unit of the row stands for, and the sum of its values.
  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  void quantise(const Call& call, int64_t row, int64_t columns) {
    if (weight_.dtype == DType::I8) {
      scale_ = call.floats(kScale)[row];
      sum_ = call.operand(kSum).as<int32_t>()[row];
      return;
    }
    float largest = 0;
    for (int64_t k = 0; k < columns; ++k) largest = std::max(largest, std::abs(stored(k)));
    scale_ = largest > 0 ? largest / 127 : 1.0F;
    for (int64_t k = 0; k < columns; ++k) sum_ += (*this)[k];
  }

  [[nodiscard]] float stored(int64_t column) const {
    const int64_t place = group_ == 1 ? base_ + column * stride_
                                      : base_ + column / group_ * stride_ + column % group_;
    switch (weight_.dtype) {
      case DType::BF16: return bf16_to_float(weight_.as<uint16_t>()[place]);
      case DType::I8: return weight_.as<int8_t>()[place];
      default: return weight_.as<float>()[place];
    }
  }

  const Operand& weight_;
  Precision precision_;
  int64_t group_, stride_, base_;
  double scale_ = 1.0, sum_ = 0.0;
};

/// Rows of x as bytes.
class Bytes {
 public:
  Bytes(const Call& call, const float* x, int64_t count) {
    if (const double given = call.real("input_scale"); given > 0.0) {
      scale_ = static_cast<float>(given);
      zero_ = static_cast<float>(call.integer("input_zero"));
      return;
    }
    float largest = 0;
    for (int64_t k = 0; k < count; ++k) largest = std::max(largest, std::abs(x[k]));
    scale_ = largest > 0 ? largest / 127 : 1.0F;
    zero_ = static_cast<float>(kDynamicZero);
  }
  [[nodiscard]] double operator()(float x) const {
    const float byte = std::nearbyint(x * (1 / scale_)) + zero_;
    return std::isnan(byte) ? 0.0 : std::clamp(byte, 0.0F, 255.0F);
  }
  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] double zero() const { return zero_; }

 private:
  float scale_ = 1.0F, zero_ = 0.0F;
};

double product(const Call& call, Precision precision, const float* x, const WeightRow& weight,
               int64_t count) {
  double sum = 0.0;
  switch (precision) {
    case Precision::fp32:
      for (int64_t k = 0; k < count; ++k) sum += double{x[k]} * weight[k];
      return sum;
    case Precision::bf16:
      for (int64_t k = 0; k < count; ++k) sum += double{rounded_to_bf16(x[k])} * weight[k];
      return sum;
    case Precision::int8: break;
  }
  const Bytes bytes(call, x, count);
  for (int64_t k = 0; k < count; ++k) sum += bytes(x[k]) * weight[k];
  return (sum - bytes.zero() * weight.sum()) * bytes.scale() * weight.scale();
}

}  // namespace

Type infer_linear(const Rule& rule) {
  const auto precision = precision_of(rule);
  rule.require_float(kX);
  rule.require_rank(kX, 1);
  require_weight(rule, precision);
  const auto& weight = rule.shape(kWeight);
  rule.require(rule.shape(kX).back() == weight[1], "{} times a weight of {}",
               to_string(rule.operand(kX)), to_string(rule.operand(kWeight)));
  require_quantisation(rule, precision);
  Type out = rule.operand(kX);
  out.dims.back() = weight[0];
  if (rule.has(kBias)) rule.require_type(kBias, {DType::F32, {weight[0]}});
  if (rule.has(kResidual)) rule.require_broadcast(kResidual, out.dims);
  return out;
}

void linear(const Call& call) {
  const auto& shape = call.result().shape;
  const int64_t inner = call.shape(kWeight)[1], columns = shape.last();
  const int64_t rows = shape.count() / columns;
  const auto activation = static_cast<Activation>(call.integer("activation"));
  const auto precision = precision_of(call);
  float* y = call.floats();
  for (int64_t n = 0; n < columns; ++n) {
    const WeightRow weight(call, precision, n);
    const double bias = call.has(kBias) ? call.floats(kBias)[n] : 0.0;
    for (int64_t m = 0; m < rows; ++m) {
      const float* x = call.floats(kX) + m * inner;
      const double sum = product(call, precision, x, weight, inner) + bias;
      y[m * columns + n] = activate(activation, static_cast<float>(sum));
    }
  }
  if (!call.has(kResidual)) return;
  walk<1>(shape, {broadcast_strides(call.shape(kResidual), shape)},
          [&](int64_t i, const auto& at, const auto&) { y[i] += call.floats(kResidual)[at[0]]; });
}

}  // namespace saccade::ops
