// The linear layer in every precision: what its rule refuses, and the reference against numbers
// worked out by the definition.

#include "saccade/ops/linear.h"

#include <gtest/gtest.h>

#include "saccade/ops/panels.h"
#include "tests/ops/refusal.h"
#include "tests/plan/graphs.h"

namespace saccade::ops {
namespace {

constexpr auto kBf16 = static_cast<int64_t>(Precision::bf16);
constexpr auto kInt8 = static_cast<int64_t>(Precision::int8);

std::string refusal(const std::vector<std::optional<Type>>& types, const NamedAttributes& named,
                    Op op = Op::linear) {
  std::vector<const Type*> pointers;
  pointers.reserve(types.size());
  for (const auto& type : types) pointers.push_back(type ? &*type : nullptr);
  return refusal(op, pointers, named);
}

const Type kX{DType::F32, {{1, true}, {8}}};
Type weight(DType dtype) { return {dtype, {{3}, {8}}}; }
const std::optional<Type> kNone;
const Type kScale{DType::F32, {{3}}}, kSum{DType::I32, {{3}}};

TEST(LinearRule, WeightsFitThePrecision) {
  EXPECT_EQ(refusal({kX, weight(DType::F32)}, {}), "");
  EXPECT_EQ(refusal({kX, weight(DType::F32)}, {{"precision", kBf16}}), "");
  EXPECT_EQ(refusal({kX, weight(DType::F32)}, {{"precision", kInt8}}), "");
  EXPECT_EQ(refusal({kX, weight(DType::BF16)}, {{"precision", kBf16}}), "");
  EXPECT_EQ(refusal({kX, weight(DType::I8), kNone, kNone, kScale, kSum}, {{"precision", kInt8}}),
            "");
  EXPECT_NE(refusal({kX, weight(DType::BF16)}, {}).find("F32 is expected"), std::string::npos);
  EXPECT_NE(refusal({kX, weight(DType::BF16)}, {{"precision", kInt8}}), "");
  EXPECT_NE(refusal({kX, weight(DType::I8), kNone, kNone, kScale, kSum}, {{"precision", kBf16}}),
            "");
}

TEST(LinearRule, ScalesAndSumsStandBesideInt8Weights) {
  const NamedAttributes int8 = {{"precision", kInt8}};
  EXPECT_NE(refusal({kX, weight(DType::I8)}, int8), "");
  EXPECT_NE(refusal({kX, weight(DType::I8), kNone, kNone, kScale}, int8), "");
  EXPECT_NE(refusal({kX, weight(DType::I8), kNone, kNone, kNone, kSum}, int8), "");
  EXPECT_NE(refusal({kX, weight(DType::F32), kNone, kNone, kScale, kSum}, int8), "");
  EXPECT_NE(refusal({kX, weight(DType::F32), kNone, kNone, kScale, kSum}, {}), "");
  const Type longer{DType::F32, {{4}}}, sums_as_floats{DType::F32, {{3}}};
  EXPECT_NE(refusal({kX, weight(DType::I8), kNone, kNone, longer, kSum}, int8), "");
  EXPECT_NE(refusal({kX, weight(DType::I8), kNone, kNone, kScale, sums_as_floats}, int8), "");
}

TEST(LinearRule, RowsHaveASoundScaleAndZero) {
  const auto with = [](double scale, int64_t zero, int64_t precision = kInt8) {
    return refusal({kX, weight(DType::F32)},
                   {{"precision", precision}, {"input_scale", scale}, {"input_zero", zero}});
  };
  EXPECT_EQ(with(0.0, 128), "");
  EXPECT_EQ(with(0.01, 0), "");
  EXPECT_EQ(with(0.01, 255), "");
  EXPECT_NE(with(0.01, 256), "");
  EXPECT_NE(with(0.01, -1), "");
  EXPECT_NE(with(-0.01, 1), "");
  EXPECT_NE(with(1e-40, 1), "");
  EXPECT_NE(with(INFINITY, 1), "");
  EXPECT_NE(with(0.01, 128, kBf16), "");
  EXPECT_NE(with(0.0, 7, 0), "");
}

TEST(LinearRule, Int8SumsFitIn32Bits) {
  const auto columns = [](int64_t count) {
    return refusal({Type{DType::F32, {{1, true}, {count}}}, Type{DType::F32, {{1}, {count}}}},
                   {{"precision", kInt8}});
  };
  EXPECT_EQ(columns(kMaxInt8Depth), "");
  EXPECT_NE(columns(kMaxInt8Depth + 1), "");
}

TEST(AttentionRule, HasNoInt8) {
  const Type tokens{DType::F32, {{1, true}, {4}, {8}}};
  const auto with = [&](int64_t precision) {
    return refusal(
        {tokens, tokens, tokens},
        {{"heads", int64_t{2}}, {"head_dim", int64_t{4}}, {"scale", 1.0}, {"precision", precision}},
        Op::attention);
  };
  EXPECT_EQ(with(0), "");
  EXPECT_EQ(with(kBf16), "");
  EXPECT_NE(with(kInt8), "");
}

/// A layer of 3 pictures, 5 columns and 11 features by the reference kernel.
struct Layer {
  HostTensor x = test::random_tensor({3, 11}, "x"), w = test::random_tensor({5, 11}, "w");
  HostTensor bias = test::random_tensor({5}, "bias");

  [[nodiscard]] std::vector<float> run(const NamedAttributes& named, const Operand& weight,
                                       const Int8Columns& columns = {}) const {
    std::vector<Operand> operands(6);
    operands[0] = {x.bytes().data(), DType::F32, Extents(x.shape())};
    operands[1] = weight;
    operands[2] = {bias.bytes().data(), DType::F32, Extents(bias.shape())};
    const Shape five = {5};
    if (!columns.scale.empty()) {
      operands[4] = {std::as_bytes(std::span(columns.scale)).data(), DType::F32, Extents(five)};
      operands[5] = {std::as_bytes(std::span(columns.sum)).data(), DType::I32, Extents(five)};
    }
    std::vector<float> out(15);
    const Shape shape = {3, 5};
    const auto& op = info(Op::linear);
    op.reference(Call(op, operands, complete(op, named),
                      {std::as_writable_bytes(std::span(out)).data(), DType::F32, Extents(shape)}));
    return out;
  }
  [[nodiscard]] std::vector<float> plain(const NamedAttributes& named) const {
    return run(named, {w.bytes().data(), DType::F32, Extents(w.shape())});
  }
  [[nodiscard]] MatrixView view() const { return {w.as<float>().data(), 5, 11, 11, 1}; }
  [[nodiscard]] float at(const HostTensor& tensor, int64_t row, int64_t k) const {
    return tensor.as<float>()[static_cast<size_t>(row * 11 + k)];
  }
};

TEST(LinearReference, Bf16RoundsBothFactors) {
  const Layer layer;
  const auto round = [](float v) { return double{bf16_to_float(float_to_bf16(v))}; };
  const auto y = layer.plain({{"precision", kBf16}});
  for (int64_t m = 0; m < 3; ++m)
    for (int64_t n = 0; n < 5; ++n) {
      double sum = layer.bias.as<float>()[static_cast<size_t>(n)];
      for (int64_t k = 0; k < 11; ++k)
        sum += round(layer.at(layer.x, m, k)) * round(layer.at(layer.w, n, k));
      EXPECT_FLOAT_EQ(y[static_cast<size_t>(m * 5 + n)], static_cast<float>(sum));
    }
  EXPECT_NE(y, layer.plain({}));
}

TEST(LinearReference, PackedWeightsGiveWhatTheyStandFor) {
  const Layer layer;
  std::vector<std::byte> half(static_cast<size_t>(panel_bytes(DType::BF16, 5, 11)));
  pack_panels(DType::BF16, layer.view(), half);
  const Shape shape = {5, 11};
  EXPECT_EQ(
      layer.run({{"precision", kBf16}}, {half.data(), DType::BF16, Extents(shape), Layout::panels}),
      layer.plain({{"precision", kBf16}}));
  std::vector<std::byte> bytes(static_cast<size_t>(panel_bytes(DType::I8, 5, 11)));
  const auto columns = pack_int8_panels(layer.view(), bytes);
  for (const double scale : {0.0, 0.004}) {
    const NamedAttributes named = {
        {"precision", kInt8}, {"input_scale", scale}, {"input_zero", int64_t{117}}};
    EXPECT_EQ(layer.run(named, {bytes.data(), DType::I8, Extents(shape), Layout::panels}, columns),
              layer.plain(named));
  }
}

TEST(LinearReference, Int8SumsAreExact) {
  const Layer layer;
  // A scale of 1/256 and zero point 100: x in [-0.5, 0.5) becomes [-28, 228], clamped to bytes.
  const auto y =
      layer.plain({{"precision", kInt8}, {"input_scale", 1.0 / 256}, {"input_zero", int64_t{100}}});
  for (int64_t m = 0; m < 3; ++m)
    for (int64_t n = 0; n < 5; ++n) {
      float largest = 0;
      for (int64_t k = 0; k < 11; ++k)
        largest = std::max(largest, std::abs(layer.at(layer.w, n, k)));
      int64_t sum = 0;
      for (int64_t k = 0; k < 11; ++k) {
        const auto byte =
            std::clamp(static_cast<int64_t>(std::nearbyint(layer.at(layer.x, m, k) * 256)) + 100,
                       int64_t{0}, int64_t{255});
        sum += (byte - 100) *
               static_cast<int64_t>(std::nearbyint(layer.at(layer.w, n, k) / (largest / 127)));
      }
      const double expected = static_cast<double>(sum) * (largest / 127) / 256 +
                              layer.bias.as<float>()[static_cast<size_t>(n)];
      EXPECT_NEAR(y[static_cast<size_t>(m * 5 + n)], expected, 1e-6);
    }
}

}  // namespace
}  // namespace saccade::ops
