#pragma once
// Exponential moving average of a model's state. Source: timm 1.0.31 utils/model_ema.py.

#include <optional>
#include <vector>

#include <torch/torch.h>

namespace saccade::train {

using torch::Tensor;

enum class EmaRule {
  v2,  ///< every entry averaged; integers get the truncated average
  v3,  ///< floats by lerp, integers copied
};

struct EmaConfig {
  EmaRule rule = EmaRule::v3;
  double decay = 0.9999;
  bool use_warmup = false;  ///< v3: 1 - (1 + step / gamma)^-power, within [min_decay, decay]
  double warmup_gamma = 1.0;
  double warmup_power = 2.0 / 3.0;
  double min_decay = 0.0;
  int64_t update_after_step = 0;
  bool exclude_buffers = false;  ///< v3: buffers are copied
};

/// The decay at an update. Without a step there is no warm-up (v2, or v3 called without one).
[[nodiscard]] double ema_decay(const EmaConfig& config, std::optional<int64_t> step);

/// Moves `average` towards `model`, entry by entry. `buffers` counts the entries at the end that
/// are buffers.
void ema_update(const EmaConfig& config, std::vector<Tensor>& average,
                const std::vector<Tensor>& model, size_t buffers, std::optional<int64_t> step);

}  // namespace saccade::train
