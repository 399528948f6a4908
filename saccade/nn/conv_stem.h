#pragma once
// A convolutional stem in the place of the patch projection.
// Source: Xiao et al., "Early Convolutions Help Transformers See Better", NeurIPS 2021.

#include "saccade/nn/layers.h"

namespace saccade::nn {

/// 3x3 convolution of stride 2 without bias, BatchNorm, ReLU.
struct ConvNormAct : Module {
  ConvNormAct(int64_t in, int64_t out)
      : conv(this, "conv", in, out,
             ConvOptions{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .bias = false}),
        norm(this, "norm", out) {}
  Tensor forward(const Tensor& x) { return at::relu(norm(conv(x))); }  // [B, C, H, W] -> H/2, W/2
  Child<Conv2d> conv;
  Child<BatchNorm2d> norm;
};

/// One ConvNormAct for each entry of `channels`, then a 1x1 projection to `dim`.
struct ConvStem : Module {
  ConvStem(int64_t in_chans, const std::vector<int64_t>& channels, int64_t dim)
      : stem(this, "stem", std::ssize(channels),
             [&](int64_t i) {
               const int64_t in = i == 0 ? in_chans : channels[static_cast<size_t>(i - 1)];
               return std::make_shared<ConvNormAct>(in, channels[static_cast<size_t>(i)]);
             }),
        proj(this, "proj", channels.back(), dim, ConvOptions{}) {}
  Tensor forward(Tensor x) {                      // [B, 3, H, W]
    for (const auto& layer : stem) x = layer(x);  // [B, channels.back(), H/2^n, W/2^n]
    return proj(x).flatten(2).transpose(1, 2);    // [B, H*W/4^n, C]
  }
  Children<ConvNormAct> stem;
  Child<Conv2d> proj;
};

}  // namespace saccade::nn
