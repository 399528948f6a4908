#include "saccade/models/plain_vit_state.h"

#include <cmath>

#include "saccade/models/page.h"
#include "saccade/nn/host.h"
#include "saccade/nn/pos_embed.h"

namespace saccade::models {

int64_t PlainVitModel::layer_id(std::string_view parameter) const {
  return block_layer_id(parameter, config_.depth);
}

NamedTensors PlainVitModel::adapt(const NamedTensors& state, const Adaptation& how) const {
  const bool timm = how.procedure == "timm";
  if (!timm && how.procedure != "deit")
    throw unsupported_error("weights can be adapted by \"timm\" or \"deit\", not by \"{}\"",
                            how.procedure);
  NamedTensors out = state;
  const auto grid = config_.grid();
  for (auto& [name, tensor] : out) {
    if (name != "pos_embed" || tensor.shape().size() != 3) continue;
    const int64_t old_patches = tensor.shape()[1] - prefix_tokens_;
    if (old_patches == config_.num_patches()) continue;
    const auto side = static_cast<int64_t>(std::sqrt(std::max<int64_t>(old_patches, 0)));
    if (side < 1 || side * side != old_patches)
      throw Error(ErrorKind::bad_input,
                  fmt::format("pos_embed: {} positions are no square grid beside {} tokens",
                              tensor.shape()[1], prefix_tokens_));
    if (!timm && grid[0] != grid[1])
      throw unsupported_error("DeiT's procedure resizes to square grids only, {}x{} was asked for",
                              grid[0], grid[1]);
    tensor = nn::to_host(nn::resize_pos_embed(nn::to_torch(tensor), {side, side}, grid,
                                              prefix_tokens_, /*antialias=*/timm));
  }
  return out;
}

std::string PlainVitModel::misfit(const NamedTensors& state) const {
  const auto* positions = find(state, "pos_embed");
  if (!positions || positions->shape().size() != 3) return "";
  const int64_t given = positions->shape()[1] - prefix_tokens_;
  if (given == config_.num_patches()) return "";
  return fmt::format(
      "these are weights for {} patches, this model has {}: describe the file with the "
      "\"img_size\" "
      "that it was trained with, then let `saccade convert --img-size` resize its positions",
      given, config_.num_patches());
}

}  // namespace saccade::models
