#pragma once
// Matrices into the panels of layout.h, and back. The N columns of the product (output features)
// stand in panels of 16; the K summed elements of a column run down a panel in steps of 32 bits,
// one fp32, two bf16 or four int8 per column. A step is 64 bytes in each type, so panels that are
// aligned to 64 bytes have aligned steps.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "saccade/base/dtype.h"
#include "saccade/ops/layout.h"

namespace saccade::ops {

inline constexpr int64_t kPanelStepBytes = 64;
inline constexpr int64_t kPanelAlignment = 64;

/// Steps of a panel of k summed elements.
[[nodiscard]] constexpr int64_t panel_steps(DType type, int64_t k) {
  return (k + panel_group(type) - 1) / panel_group(type);
}
/// Bytes from one panel to the next.
[[nodiscard]] constexpr int64_t panel_stride(DType type, int64_t k) {
  return panel_steps(type, k) * kPanelStepBytes;
}

/// A dense fp32 matrix to pack: element (column n, depth k) at data[n * n_stride + k * k_stride].
/// A weight [out][in] of a linear layer has n_stride = in, k_stride = 1.
struct MatrixView {
  const float* data = nullptr;
  int64_t n = 0;
  int64_t k = 0;
  int64_t n_stride = 0;
  int64_t k_stride = 0;
};

/// Writes panel_bytes(type, n, k) bytes; bf16 rounds to nearest even. Not for i8.
void pack_panels(DType type, const MatrixView& matrix, std::span<std::byte> out);

/// What int8 panels need beside them: column n stands for scale[n] * panel value; sum[n] is the sum
/// of the panel values of column n, with which kernels take out the zero point of their rows. Both
/// have N entries.
struct Int8Columns {
  std::vector<float> scale;
  std::vector<int32_t> sum;
};

/// Symmetric quantisation with one scale per column, max|column| / 127; a column of zeros has
/// scale 1. Values lie in [-127, 127]. Not finite: undefined.
[[nodiscard]] Int8Columns pack_int8_panels(const MatrixView& matrix, std::span<std::byte> out);

/// The inverse: [n][k] values as the panels hold them (int8 without its scales).
[[nodiscard]] std::vector<float> unpack_panels(DType type, std::span<const std::byte> panels,
                                               int64_t n, int64_t k);

}  // namespace saccade::ops
