#pragma once
// How kernels find rows in memory: strides, index tables, convolution patches. Strides are in
// elements (fp32). Nothing here checks sizes that come from a file: plan verification has.

#include <cstdint>

namespace saccade::runtime::kernels {

/// Row r of image i, i = row / rows_per_image, stands at
///   base + i * image_stride + (index ? index[r] : r) * row_stride.
/// A table entry below 0 means: no row (reads give zeros, writes are dropped).
struct RowMap {
  int64_t row_stride = 0;
  int64_t rows_per_image = 0;  ///< 0: all rows are one image
  int64_t image_stride = 0;
  const int64_t* index = nullptr;  ///< [rows_per_image]

  /// Offset of a row, or -1 for no row.
  [[nodiscard]] int64_t offset(int64_t row) const {
    int64_t image = 0;
    if (rows_per_image > 0) {
      image = row / rows_per_image;
      row -= image * rows_per_image;
    }
    if (index != nullptr) row = index[row];
    return row < 0 ? -1 : image * image_stride + row * row_stride;
  }
};

/// Rows are the patches of a convolution, one for each output position (images outermost, then
/// y, x). The summed dimension runs over (channel, ky, kx), or (ky, kx, channel) with
/// channels_last: take the order in which the picture lies, so that patches are copied in runs.
struct Patches {
  int64_t channels = 0, height = 0, width = 0;  ///< of the input
  int64_t image_stride = 0, channel_stride = 0, y_stride = 0, x_stride = 0;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t pad_h = 0, pad_w = 0;  ///< zeros at the top and left; bottom and right follow from out_*
  int64_t dilation_h = 1, dilation_w = 1;
  int64_t out_h = 0, out_w = 0;
  bool channels_last = false;
};

/// Writes the patch of one row: channels * kernel_h * kernel_w elements.
void fetch_patch(const Patches& patches, const float* data, int64_t row, float* out);

/// Layer normalisation of each row on its way into a kernel.
struct Norm {
  float epsilon = 1e-5F;
  const float* gamma = nullptr;  ///< [k] or null: 1
  const float* beta = nullptr;   ///< [k] or null: 0
};

/// How rows become bytes for int8 panels. Dynamic: each row gets its own scale, max|x| / 127, and
/// the zero point 128. Static (scale > 0): q = round(x / scale) + zero, clamped to [0, 255].
struct Quantisation {
  float scale = 0.0F;
  int32_t zero = 128;  ///< static only
};

}  // namespace saccade::runtime::kernels
