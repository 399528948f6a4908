#pragma once
// Learned position embeddings and their transfer to another grid of patches.

#include <array>

#include "saccade/nn/module.h"

namespace saccade::nn {

/// Resizes the grid part of `pos_embed` [1, prefix + h*w, C] from `from` = [h, w] to `to`, bicubic
/// in float32 with align_corners off; the prefix tokens (class, distillation) are kept. `antialias`
/// as timm has it (its checkpoint loader: on), DeiT's main.py --finetune: off.
[[nodiscard]] Tensor resize_pos_embed(const Tensor& pos_embed, std::array<int64_t, 2> from,
                                      std::array<int64_t, 2> to, int64_t prefix, bool antialias);

}  // namespace saccade::nn
