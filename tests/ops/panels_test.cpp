#include "saccade/ops/panels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "saccade/base/dtype.h"

namespace saccade::ops {
namespace {

std::vector<float> ramp(int64_t count) {
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i) values[i] = std::sin(0.7F * static_cast<float>(i)) + 0.01F;
  return values;
}

TEST(Panels, LayoutIsTheDocumentedOne) {
  // n = 18, k = 3: two panels; element (n, k) at [n / 16][k][n % 16].
  const auto weights = ramp(18 * 3);
  std::vector<std::byte> out(panel_bytes(DType::F32, 18, 3));
  ASSERT_EQ(out.size(), 2U * 3 * 64);
  pack_panels(DType::F32, {weights.data(), 18, 3, 3, 1}, out);
  const auto* f = reinterpret_cast<const float*>(out.data());
  EXPECT_EQ(f[0], weights[0]);
  EXPECT_EQ(f[2 * 16 + 5], weights[5 * 3 + 2]);
  EXPECT_EQ(f[3 * 16 + 1 * 16 + 1], weights[17 * 3 + 1]);
  EXPECT_EQ(f[3 * 16 + 2], 0.0F);  // column 18 does not exist

  // bf16: [n / 16][k / 2][n % 16][2], int8: [n / 16][k / 4][n % 16][4]
  out.assign(panel_bytes(DType::BF16, 18, 3), std::byte{1});
  ASSERT_EQ(out.size(), 2U * 2 * 64);
  pack_panels(DType::BF16, {weights.data(), 18, 3, 3, 1}, out);
  const auto* b = reinterpret_cast<const uint16_t*>(out.data());
  EXPECT_EQ(b[5 * 2 + 1], float_to_bf16(weights[5 * 3 + 1]));
  EXPECT_EQ(b[32 + 5 * 2], float_to_bf16(weights[5 * 3 + 2]));
  EXPECT_EQ(b[32 + 5 * 2 + 1], 0);  // the pair's other half
  EXPECT_EQ(panel_bytes(DType::I8, 18, 3), 2 * 64);
}

TEST(Panels, UnpackGivesBackWhatWasPacked) {
  for (const int64_t n : {1, 15, 16, 17, 33, 70})
    for (const int64_t k : {1, 2, 3, 4, 5, 31, 64, 70}) {
      const auto weights = ramp(n * k);
      const MatrixView transposed{weights.data(), n, k, 1, n};
      std::vector<std::byte> out(panel_bytes(DType::F32, n, k), std::byte{7});
      pack_panels(DType::F32, {weights.data(), n, k, k, 1}, out);
      EXPECT_EQ(unpack_panels(DType::F32, out, n, k), weights);
      pack_panels(DType::F32, transposed, out);
      EXPECT_EQ(unpack_panels(DType::F32, out, n, k)[(n - 1) * k], weights[n - 1]);

      out.assign(panel_bytes(DType::BF16, n, k), std::byte{7});
      pack_panels(DType::BF16, {weights.data(), n, k, k, 1}, out);
      const auto halves = unpack_panels(DType::BF16, out, n, k);
      for (int64_t i = 0; i < n * k; ++i)
        EXPECT_EQ(halves[i], bf16_to_float(float_to_bf16(weights[i])));
    }
}

TEST(Panels, Int8KeepsEveryColumnWithinHalfAStep) {
  const int64_t n = 37, k = 51;
  auto weights = ramp(n * k);
  for (int64_t i = 0; i < k; ++i) weights[5 * k + i] = 0;
  std::vector<std::byte> out(panel_bytes(DType::I8, n, k), std::byte{7});
  const auto columns = pack_int8_panels({weights.data(), n, k, k, 1}, out);
  const auto values = unpack_panels(DType::I8, out, n, k);
  ASSERT_EQ(columns.scale.size(), static_cast<size_t>(n));
  EXPECT_EQ(columns.scale[5], 1.0F);
  for (int64_t column = 0; column < n; ++column) {
    int32_t sum = 0;
    float largest = 0;
    for (int64_t i = 0; i < k; ++i) {
      const float value = values[column * k + i];
      sum += static_cast<int32_t>(value);
      largest = std::max(largest, std::abs(value));
      EXPECT_NEAR(value * columns.scale[column], weights[column * k + i],
                  0.5001F * columns.scale[column]);
    }
    EXPECT_EQ(columns.sum[column], sum);
    EXPECT_EQ(largest, column == 5 ? 0.0F : 127.0F);
  }
  // The filling is zero, whatever the memory held.
  EXPECT_EQ(out.back(), std::byte{0});
}

}  // namespace
}  // namespace saccade::ops
