#pragma once
// Pictures to tokens by a strided projection.

#include <optional>

#include "saccade/nn/layers.h"

namespace saccade::nn {

/// Non-overlapping patches, each projected to `dim` numbers, with a LayerNorm behind it where
/// `norm_eps` is given; a remainder at the right or bottom edge is left out, as the reference's
/// strided convolution does.
struct PatchEmbed : Module {
  PatchEmbed(int64_t in_chans, int64_t dim, std::array<int64_t, 2> patch, bool bias = true,
             std::optional<double> norm_eps = std::nullopt)
      : proj(this, "proj", in_chans, dim,
             ConvOptions{.kernel = patch, .stride = patch, .bias = bias}),
        norm(when(norm_eps.has_value()), this, "norm", dim, norm_eps.value_or(0.0)) {}
  Tensor forward(const Tensor& images) {                          // [B, 3, H, W]
    const auto tokens = proj(images).flatten(2).transpose(1, 2);  // [B, H/p * W/p, C]
    return norm ? norm(tokens) : tokens;
  }
  Child<Conv2d> proj;
  Child<LayerNorm> norm;
};

}  // namespace saccade::nn
