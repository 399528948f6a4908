#pragma once
// Weight panels: the one layout in which matrices lie in a plan and in which every kernel reads
// them. The N columns (output features) stand in panels of 16, the K summed elements of a column
// run down a panel in steps of 32 bits: one fp32, two bf16 or four int8 per column and step.
//
//   f32 [N/16][K][16]    bf16 [N/16][K/2][16][2]    i8 [N/16][K/4][16][4]
//
// N is filled with zero columns to a multiple of 16, K to a whole step. A step is 64 bytes in each
// type, so 64-byte aligned panels have 64-byte aligned steps.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace saccade::plan {

enum class PanelType : uint8_t { f32 = 0, bf16 = 1, i8 = 2 };

inline constexpr int64_t kPanelColumns = 16;
inline constexpr int64_t kPanelStepBytes = 64;
inline constexpr int64_t kPanelAlignment = 64;

/// Elements of the summed dimension in one step: 1, 2, 4.
[[nodiscard]] constexpr int64_t panel_depth(PanelType type) {
  return type == PanelType::f32 ? 1 : type == PanelType::bf16 ? 2 : 4;
}
[[nodiscard]] constexpr int64_t panel_steps(PanelType type, int64_t k) {
  return (k + panel_depth(type) - 1) / panel_depth(type);
}
[[nodiscard]] constexpr int64_t panel_count(int64_t n) {
  return (n + kPanelColumns - 1) / kPanelColumns;
}
/// Bytes of one panel. The caller has checked that n and k are small enough (plan verification).
[[nodiscard]] constexpr int64_t panel_bytes(PanelType type, int64_t k) {
  return panel_steps(type, k) * kPanelStepBytes;
}
/// Bytes of a whole matrix.
[[nodiscard]] constexpr int64_t panels_bytes(PanelType type, int64_t n, int64_t k) {
  return panel_count(n) * panel_bytes(type, k);
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

/// Writes panels_bytes(type, n, k) bytes; bf16 rounds to nearest even. Not for i8.
void pack_panels(PanelType type, const MatrixView& matrix, std::span<std::byte> out);

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
[[nodiscard]] std::vector<float> unpack_panels(PanelType type, std::span<const std::byte> panels,
                                               int64_t n, int64_t k);

}  // namespace saccade::plan
