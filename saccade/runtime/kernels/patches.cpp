#include "saccade/runtime/kernels/patches.h"

#include <algorithm>
#include <cstring>

namespace saccade::runtime::kernels {
namespace {

/// `count` elements `stride` apart.
void copy_run(const float* from, int64_t stride, int64_t count, float* to) {
  if (stride == 1)
    std::memcpy(to, from, count * sizeof(float));
  else
    for (int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
}

/// The columns kx of the kernel whose input column x0 + kx * dilation lies inside the picture.
struct Inside {
  int64_t begin, end;
};
Inside inside(int64_t x0, int64_t dilation, int64_t kernel, int64_t width) {
  const int64_t begin = x0 >= 0 ? 0 : (-x0 + dilation - 1) / dilation;
  const int64_t end = x0 >= width ? 0 : (width - x0 + dilation - 1) / dilation;
  return {std::min(begin, kernel), std::clamp(end, std::min(begin, kernel), kernel)};
}

/// One kernel row of all channels, [kernel_w][channels].
void fetch_channels_last(const Patches& p, const float* line, int64_t x0, float* out) {
  const auto [begin, end] = inside(x0, p.dilation_w, p.kernel_w, p.width);
  std::fill(out, out + begin * p.channels, 0.0F);
  std::fill(out + end * p.channels, out + p.kernel_w * p.channels, 0.0F);
  const int64_t step = p.dilation_w * p.x_stride;
  if (p.channel_stride == 1 && step == p.channels) {
    copy_run(line + (x0 + begin * p.dilation_w) * p.x_stride, 1, (end - begin) * p.channels,
             out + begin * p.channels);
    return;
  }
  for (int64_t kx = begin; kx < end; ++kx)
    copy_run(line + x0 * p.x_stride + kx * step, p.channel_stride, p.channels,
             out + kx * p.channels);
}

/// One kernel row of one channel, [kernel_w].
void fetch_planar(const Patches& p, const float* line, int64_t x0, float* out) {
  const auto [begin, end] = inside(x0, p.dilation_w, p.kernel_w, p.width);
  std::fill(out, out + begin, 0.0F);
  std::fill(out + end, out + p.kernel_w, 0.0F);
  copy_run(line + (x0 + begin * p.dilation_w) * p.x_stride, p.dilation_w * p.x_stride, end - begin,
           out + begin);
}

}  // namespace

void fetch_patch(const Patches& p, const float* data, int64_t row, float* out) {
  const int64_t position = row % (p.out_h * p.out_w);
  const float* image = data + row / (p.out_h * p.out_w) * p.image_stride;
  const int64_t y0 = position / p.out_w * p.stride_h - p.pad_h;
  const int64_t x0 = position % p.out_w * p.stride_w - p.pad_w;
  const int64_t planes = p.channels_last ? 1 : p.channels;
  const int64_t run = p.channels_last ? p.kernel_w * p.channels : p.kernel_w;
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int64_t ky = 0; ky < p.kernel_h; ++ky, out += run) {
      const int64_t y = y0 + ky * p.dilation_h;
      const float* line = image + plane * p.channel_stride + y * p.y_stride;
      if (y < 0 || y >= p.height)
        std::fill(out, out + run, 0.0F);
      else if (p.channels_last)
        fetch_channels_last(p, line, x0, out);
      else
        fetch_planar(p, line, x0, out);
    }
  }
}

}  // namespace saccade::runtime::kernels
