#pragma once
// The layers that every system is made of, with PyTorch's parameter names. Weights are
// uninitialised until init_weights() of the model or a checkpoint fills them.

#include "saccade/nn/module.h"

namespace saccade::nn {

/// y = x Wᵀ + b. weight [out, in], bias [out].
struct Linear : Module {
  Linear(int64_t in, int64_t out, bool with_bias = true);
  Tensor forward(const Tensor& x) const { return at::linear(x, weight, bias); }
  Tensor weight, bias;
};

/// Normalises the last dimension. weight and bias [size].
struct LayerNorm : Module {
  LayerNorm(int64_t size, double eps);
  Tensor forward(const Tensor& x) const { return at::layer_norm(x, {size}, weight, bias, eps); }
  int64_t size;
  double eps;
  Tensor weight, bias;
};

struct ConvOptions {
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> padding{0, 0};
  bool bias = true;
};

/// weight [out, in, kh, kw], bias [out].
struct Conv2d : Module {
  Conv2d(int64_t in, int64_t out, ConvOptions options);
  Tensor forward(const Tensor& x) const {
    return at::conv2d(x, weight, bias, options.stride, options.padding);
  }
  ConvOptions options;
  Tensor weight, bias;
};

/// Running statistics in evaluation, batch statistics in training (momentum 0.1, eps 1e-5).
struct BatchNorm2d : Module {
  explicit BatchNorm2d(int64_t channels);
  Tensor forward(const Tensor& x);
  Tensor weight, bias, running_mean, running_var, num_batches_tracked;
};

/// The activations of the field: "gelu" (exact), "gelu_tanh", "relu", "silu", "quick_gelu".
[[nodiscard]] Tensor activate(const std::string& act, const Tensor& x);

}  // namespace saccade::nn
