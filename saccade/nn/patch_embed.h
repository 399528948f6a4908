#pragma once
// Pictures to tokens: a strided projection, or a small stack of convolutions.

#include "saccade/nn/layers.h"

namespace saccade::nn {

/// Non-overlapping patches, each projected to `dim` numbers; a remainder at the right or bottom
/// edge is left out, as the reference's strided convolution does.
struct PatchEmbed : Module {
  PatchEmbed(int64_t in_chans, int64_t dim, std::array<int64_t, 2> patch, bool bias = true)
      : proj(this, "proj", in_chans, dim,
             ConvOptions{.kernel = patch, .stride = patch, .bias = bias}) {}
  Tensor forward(const Tensor& images) {             // [B, 3, H, W]
    return proj(images).flatten(2).transpose(1, 2);  // [B, H/p * W/p, C]
  }
  Child<Conv2d> proj;
};

}  // namespace saccade::nn
