#include "saccade/train/optim/ema.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/check.h"

namespace saccade::train {

double ema_decay(const EmaConfig& config, std::optional<int64_t> step) {
  if (config.rule == EmaRule::v2 || !step) return config.decay;
  const int64_t s = std::max<int64_t>(0, *step - config.update_after_step - 1);
  if (s <= 0) return 0.0;
  if (!config.use_warmup) return config.decay;
  const double warm =
      1.0 - std::pow(1.0 + static_cast<double>(s) / config.warmup_gamma, -config.warmup_power);
  return std::max(std::min(warm, config.decay), config.min_decay);
}

void ema_update(const EmaConfig& config, std::vector<Tensor>& average,
                const std::vector<Tensor>& model, size_t buffers, std::optional<int64_t> step) {
  SACCADE_CHECK(average.size() == model.size(), "EMA of {} tensors with {}", average.size(),
                model.size());
  const torch::NoGradGuard no_grad;
  const double decay = ema_decay(config, step);
  const size_t first_buffer = model.size() - buffers;
  std::vector<Tensor> to, from;
  for (size_t i = 0; i < model.size(); ++i) {
    const bool is_float = model[i].is_floating_point();
    if (config.rule == EmaRule::v2 && !is_float) {
      const auto mixed = average[i].to(torch::kFloat32) * decay + model[i] * (1.0 - decay);
      average[i].copy_(mixed);
    } else if (!is_float || (config.exclude_buffers && i >= first_buffer)) {
      average[i].copy_(model[i]);
    } else {
      to.push_back(average[i]);
      from.push_back(model[i].detach());
    }
  }
  if (to.empty()) return;
  if (config.rule == EmaRule::v2) {
    at::_foreach_mul_(to, decay);
    at::_foreach_add_(to, from, 1.0 - decay);
  } else {
    at::_foreach_lerp_(to, from, 1.0 - decay);
  }
}

}  // namespace saccade::train
