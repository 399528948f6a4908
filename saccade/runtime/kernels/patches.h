#pragma once
// Patches of pictures as rows. Strides are in elements (fp32).
// Nothing here checks sizes that come from a file: plan verification has.

#include <cstdint>

namespace saccade::runtime::kernels {

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

}  // namespace saccade::runtime::kernels
