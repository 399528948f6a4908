#include "saccade/models/plain_vit_state.h"

#include <cmath>

#include "saccade/nn/host.h"
#include "saccade/nn/pos_embed.h"

namespace saccade::models {

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

std::string positions_misfit(const NamedTensors& state, int64_t prefix_tokens,
                             int64_t num_patches) {
  const auto* positions = find(state, "pos_embed");
  if (!positions || positions->shape().size() != 3) return "";
  const int64_t given = positions->shape()[1] - prefix_tokens;
  if (given == num_patches) return "";
  return fmt::format(
      "these are weights for {} patches, this model has {}: describe the file with the "
      "\"img_size\" "
      "that it was trained with, then let `saccade convert --img-size` resize its positions",
      given, num_patches);
}

}  // namespace saccade::models
