#pragma once
// Gradient clipping. Source: timm 1.0.31 utils/clip_grad.py, utils/agc.py.

#include <string>
#include <vector>

#include <torch/torch.h>

namespace saccade::train {

using torch::Tensor;

enum class ClipMode { norm, value, agc };

/// Throws Error (usage) for a name that is none of norm, value, agc.
[[nodiscard]] ClipMode parse_clip_mode(const std::string& name);

/// Total norm over all gradients, fp32 scalar tensor. Parameters without gradient are skipped.
[[nodiscard]] Tensor global_grad_norm(const std::vector<Tensor>& params, double norm_type = 2.0);

/// Changes the gradients in place. norm: scaled by min(1, value / (norm + 1e-6)); value: each
/// element clamped to +-value; agc: per output unit, |g| <= max(|p|, 1e-3) * value.
void clip_grad(const std::vector<Tensor>& params, double value, ClipMode mode,
               double norm_type = 2.0);

}  // namespace saccade::train
