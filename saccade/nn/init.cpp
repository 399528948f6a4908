#include "saccade/nn/init.h"

#include <cmath>

namespace saccade::nn {

void trunc_normal_(Tensor& tensor, double std, double mean, double a, double b) {
  const torch::NoGradGuard no_grad;
  const auto cdf = [](double x) { return (1.0 + std::erf(x / std::sqrt(2.0))) / 2.0; };
  const double low = cdf((a - mean) / std), high = cdf((b - mean) / std);
  tensor.uniform_(2 * low - 1, 2 * high - 1).erfinv_().mul_(std * std::sqrt(2.0)).add_(mean);
  tensor.clamp_(a, b);
}

void xavier_uniform_(Tensor& weight) {
  const torch::NoGradGuard no_grad;
  const auto fans =
      static_cast<double>(weight.numel() / weight.size(0) + weight.numel() / weight.size(1));
  const double bound = std::sqrt(6.0 / fans);
  weight.uniform_(-bound, bound);
}

void lecun_normal_(Tensor& weight) {
  const torch::NoGradGuard no_grad;
  constexpr double kDeviationOfCut = 0.87962566103423978;  // of a unit normal cut to [-2, 2]
  const auto fan_in = static_cast<double>(weight.numel() / weight.size(0));
  trunc_normal_(weight, 1.0);
  weight.mul_(std::sqrt(1.0 / fan_in) / kDeviationOfCut);
}

void init_conv_default(Conv2d& conv) {
  const torch::NoGradGuard no_grad;
  const auto fan_in = static_cast<double>(conv.weight.numel() / conv.weight.size(0));
  const double bound = 1.0 / std::sqrt(fan_in);  // kaiming_uniform_(a = sqrt(5))
  conv.weight.uniform_(-bound, bound);
  if (conv.bias.defined()) conv.bias.uniform_(-bound, bound);
}

void init_layers(torch::nn::Module& root, const std::function<void(Linear&)>& linear,
                 const std::function<void(Conv2d&)>& conv) {
  const torch::NoGradGuard no_grad;
  for (const auto& module : root.modules()) {
    if (auto* as_linear = dynamic_cast<Linear*>(module.get())) {
      linear(*as_linear);
    } else if (auto* as_conv = dynamic_cast<Conv2d*>(module.get())) {
      conv(*as_conv);
    } else if (auto* norm = dynamic_cast<LayerNorm*>(module.get())) {
      norm->weight.fill_(1), norm->bias.zero_();
    } else if (auto* batch_norm = dynamic_cast<BatchNorm2d*>(module.get())) {
      batch_norm->weight.fill_(1), batch_norm->bias.zero_();
      batch_norm->running_mean.zero_(), batch_norm->running_var.fill_(1);
      batch_norm->num_batches_tracked.zero_();
    }
  }
}

void init_transformer(torch::nn::Module& root) {
  const auto linear = [](Linear& layer) {
    trunc_normal_(layer.weight, 0.02);
    if (layer.bias.defined()) layer.bias.zero_();
  };
  init_layers(root, linear, init_conv_default);
}

}  // namespace saccade::nn
