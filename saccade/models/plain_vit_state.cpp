#include "saccade/models/plain_vit_state.h"

#include <charconv>
#include <cmath>

#include "saccade/nn/host.h"
#include "saccade/nn/pos_embed.h"

namespace saccade::models {

void check_image_size(const torch::Tensor& images, Pair img_size) {
  if (images.dim() != 4 || images.size(2) != img_size[0] || images.size(3) != img_size[1])
    throw Error(ErrorKind::bad_input,
                fmt::format("images: {} given, this model takes [batch, channels, {}, {}]",
                            to_string(images.sizes().vec()), img_size[0], img_size[1]));
}

int64_t block_layer_id(std::string_view parameter, int64_t depth) {
  if (parameter.starts_with("blocks.")) {
    int64_t index = 0;
    const auto digits = parameter.substr(7);
    std::from_chars(digits.data(), digits.data() + digits.size(), index);
    return index + 1;
  }
  if (parameter.starts_with("norm")) return depth;
  if (parameter.starts_with("head") || parameter.starts_with("fc_norm")) return depth + 1;
  return 0;
}

NamedTensors resize_positions(const NamedTensors& state, const Adaptation& how, Pair grid,
                              int64_t prefix_tokens) {
  const bool timm = how.procedure == "timm";
  if (!timm && how.procedure != "deit")
    throw unsupported_error("weights can be adapted by \"timm\" or \"deit\", not by \"{}\"",
                            how.procedure);
  NamedTensors out = state;
  const int64_t new_tokens = prefix_tokens + grid[0] * grid[1];
  for (auto& [name, tensor] : out) {
    if (name != "pos_embed" || tensor.shape().size() != 3) continue;
    const int64_t old_tokens = tensor.shape()[1];
    if (old_tokens == new_tokens) continue;
    const auto side =
        static_cast<int64_t>(std::sqrt(std::max<int64_t>(old_tokens - prefix_tokens, 0)));
    if (side < 1 || side * side != old_tokens - prefix_tokens)
      throw Error(ErrorKind::bad_input,
                  fmt::format("pos_embed: {} positions are no square grid beside {} tokens",
                              old_tokens, prefix_tokens));
    if (!timm && grid[0] != grid[1])
      throw unsupported_error("DeiT's procedure resizes to square grids only, {}x{} was asked for",
                              grid[0], grid[1]);
    tensor = nn::to_host(nn::resize_pos_embed(nn::to_torch(tensor), {side, side}, grid,
                                              prefix_tokens, /*antialias=*/timm));
  }
  return out;
}

}  // namespace saccade::models
