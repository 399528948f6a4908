#include "saccade/train/optim/clip_grad.h"

#include "saccade/base/error.h"

namespace saccade::train {
namespace {

std::vector<Tensor> gradients(const std::vector<Tensor>& params) {
  std::vector<Tensor> grads;
  for (const auto& param : params)
    if (param.grad().defined()) grads.push_back(param.grad());
  return grads;
}

Tensor total_norm(const std::vector<Tensor>& grads, double norm_type) {
  return at::linalg_vector_norm(torch::stack(at::_foreach_norm(grads, norm_type)), norm_type);
}

/// Norm of each output unit, shaped to broadcast; of the whole tensor below two dimensions.
Tensor unitwise_norm(const Tensor& x, double norm_type) {
  if (x.dim() <= 1) return at::linalg_vector_norm(x, norm_type);
  std::vector<int64_t> dims;
  for (int64_t d = 1; d < x.dim(); ++d) dims.push_back(d);
  return at::linalg_vector_norm(x, norm_type, dims, /*keepdim=*/true);
}

/// Brock et al. 2021, "High-Performance Large-Scale Image Recognition Without Normalization".
void adaptive_clip(const Tensor& param, double factor, double norm_type) {
  const auto& grad = param.grad();
  const auto limit = unitwise_norm(param.detach(), norm_type).clamp_min(1e-3).mul(factor);
  const auto norm = unitwise_norm(grad, norm_type);
  const auto clipped = grad * (limit / norm.clamp_min(1e-6));
  grad.copy_(at::where(norm < limit, grad, clipped));
}

}  // namespace

ClipMode parse_clip_mode(const std::string& name) {
  if (name == "norm") return ClipMode::norm;
  if (name == "value") return ClipMode::value;
  if (name == "agc") return ClipMode::agc;
  throw usage_error("clip_mode '{}': expected norm, value or agc", name);
}

Tensor global_grad_norm(const std::vector<Tensor>& params, double norm_type) {
  const torch::NoGradGuard no_grad;
  const auto grads = gradients(params);
  return grads.empty() ? torch::zeros({}) : total_norm(grads, norm_type);
}

void clip_grad(const std::vector<Tensor>& params, double value, ClipMode mode, double norm_type) {
  const torch::NoGradGuard no_grad;
  const auto grads = gradients(params);
  if (grads.empty()) return;
  switch (mode) {
    case ClipMode::norm: {
      const auto norm = total_norm(grads, norm_type);
      at::_foreach_mul_(grads, (value / (norm + 1e-6)).clamp_max(1.0));
      break;
    }
    case ClipMode::value:
      at::_foreach_clamp_min_(grads, -value);
      at::_foreach_clamp_max_(grads, value);
      break;
    case ClipMode::agc:
      for (const auto& param : params)
        if (param.grad().defined()) adaptive_clip(param, value, norm_type);
      break;
  }
}

}  // namespace saccade::train
