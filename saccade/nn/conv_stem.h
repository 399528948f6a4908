#pragma once
// A convolutional stem in the place of the patch projection.
// Source: Xiao et al., "Early Convolutions Help Transformers See Better", NeurIPS 2021.

#include "saccade/nn/layers.h"

namespace saccade::nn {

/// One layer of the stem.
struct StemLayer {
  int64_t channels;
  int64_t stride;
};

/// 3x3 convolution without bias, BatchNorm, ReLU.
struct ConvNormAct : Module {
  ConvNormAct(int64_t in, StemLayer layer)
      : conv(this, "conv", in, layer.channels,
             ConvOptions{.kernel = {3, 3},
                         .stride = {layer.stride, layer.stride},
                         .padding = {1, 1},
                         .bias = false}),
        norm(this, "norm", layer.channels) {}
  Tensor forward(const Tensor& x) { return at::relu(norm(conv(x))); }  // [B, C, H/s, W/s]
  Child<Conv2d> conv;
  Child<BatchNorm2d> norm;
};

/// One ConvNormAct for each of `layers`, then a 1x1 projection to `dim`.
struct ConvStem : Module {
  ConvStem(int64_t in_chans, const std::vector<StemLayer>& layers, int64_t dim)
      : stem(this, "stem", std::ssize(layers),
             [&](int64_t i) {
               const auto at = static_cast<size_t>(i);
               const int64_t in = i == 0 ? in_chans : layers[at - 1].channels;
               return std::make_shared<ConvNormAct>(in, layers[at]);
             }),
        proj(this, "proj", layers.back().channels, dim, ConvOptions{}) {}
  Tensor forward(Tensor x) {                           // [B, 3, H, W]
    x = x.contiguous(at::MemoryFormat::ChannelsLast);  // a quarter faster on a CPU
    for (const auto& layer : stem) x = layer(x);       // [B, channels, H/p, W/p]
    return proj(x).flatten(2).transpose(1, 2);         // [B, H/p * W/p, C]
  }
  Children<ConvNormAct> stem;
  Child<Conv2d> proj;
};

}  // namespace saccade::nn
