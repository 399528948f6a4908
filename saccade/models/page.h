#pragma once
// What pages of any family share with libtorch.

#include <string_view>

#include "saccade/models/config.h"
#include "saccade/models/model.h"

namespace saccade::models {

/// Throws Error (bad_input) unless `images` is [B, C, H, W] of the configured size.
void check_image_size(const torch::Tensor& images, Pair img_size);

/// timm's layer groups: 0 for the stem and the tokens, i + 1 for blocks.i and, with the last block,
/// the final norm, depth + 1 for the heads.
[[nodiscard]] int64_t block_layer_id(std::string_view parameter, int64_t depth);

}  // namespace saccade::models
