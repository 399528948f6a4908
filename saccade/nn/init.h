#pragma once
// Initial values as the references draw them, from torch's default generator.

#include "saccade/nn/layers.h"

namespace saccade::nn {

/// Normal numbers cut to [a, b] (absolute bounds, whatever std is). Source: timm trunc_normal_.
void trunc_normal_(Tensor& tensor, double std, double mean = 0.0, double a = -2.0, double b = 2.0);

/// Uniform with variance 2 / (fan_in + fan_out). Source: torch xavier_uniform_.
void xavier_uniform_(Tensor& weight);
/// Truncated normal with variance 1 / fan_in, cut at two deviations. Source: timm lecun_normal_.
void lecun_normal_(Tensor& weight);

/// Every Linear below `root` by `linear`, every Conv2d by `conv`; LayerNorm and BatchNorm 1 and 0.
void init_layers(torch::nn::Module& root, const std::function<void(Linear&)>& linear,
                 const std::function<void(Conv2d&)>& conv);
/// timm's init_weights_vit_timm for every Linear below `root` (truncated normal of std 0.02, bias
/// 0); LayerNorm and BatchNorm 1 and 0; Conv2d PyTorch's default.
void init_transformer(torch::nn::Module& root);
/// PyTorch's own default: uniform in +-1/sqrt(fan_in) for weight and bias.
void init_conv_default(Conv2d& conv);

}  // namespace saccade::nn
