#include "saccade/nn/layers.h"

#include "saccade/base/check.h"

namespace saccade::nn {

Linear::Linear(int64_t in, int64_t out, bool with_bias)
    : weight(parameter(this, "weight", {out, in})),
      bias(parameter(this, "bias", {out}, with_bias)) {}

LayerNorm::LayerNorm(int64_t norm_size, double norm_eps)
    : size(norm_size),
      eps(norm_eps),
      weight(parameter(this, "weight", {size})),
      bias(parameter(this, "bias", {size})) {}

Conv2d::Conv2d(int64_t in, int64_t out, ConvOptions conv)
    : options(conv),
      weight(parameter(this, "weight", {out, in, conv.kernel[0], conv.kernel[1]})),
      bias(parameter(this, "bias", {out}, conv.bias)) {}

BatchNorm2d::BatchNorm2d(int64_t channels)
    : weight(parameter(this, "weight", {channels})),
      bias(parameter(this, "bias", {channels})),
      running_mean(buffer(this, "running_mean", {channels})),
      running_var(buffer(this, "running_var", {channels})),
      num_batches_tracked(buffer(this, "num_batches_tracked", {}, torch::kInt64)) {}

Tensor BatchNorm2d::forward(const Tensor& x) {
  if (is_training()) num_batches_tracked.add_(1);
  return at::batch_norm(x, weight, bias, running_mean, running_var, is_training(), 0.1, 1e-5, true);
}

Tensor activate(const std::string& act, const Tensor& x) {
  if (act == "gelu") return at::gelu(x);
  if (act == "gelu_tanh") return at::gelu(x, "tanh");
  if (act == "relu") return at::relu(x);
  if (act == "silu") return at::silu(x);
  SACCADE_CHECK(act == "quick_gelu", "activation {} was not validated", act);
  return x * at::sigmoid(1.702 * x);
}

}  // namespace saccade::nn
