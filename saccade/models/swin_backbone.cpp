#include "saccade/models/swin_backbone.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "saccade/nn/host.h"
#include "saccade/nn/pos_embed.h"

namespace saccade::models {

nn::WindowCut BlockWindows::cut_for(Pair map) const {
  const auto shift = windows_.shift_on(map);
  return {.window = windows_.window,
          .shift = shifted_ ? shift : Pair{0, 0},
          .roll_first = windows_.rule == WindowRule::timm,
          .mask_value = windows_.rule == WindowRule::huggingface_v2 ? -200.0 : -100.0};
}

nn::MlpOptions swin_mlp(const SwinConfig& c, int64_t stage) {
  return {.dim = c.dim(stage),
          .hidden = c.mlp_hidden(stage),
          .act = c.act_layer.name,
          .drop = c.drop_rate};
}

double swin_drop_path(const SwinConfig& c, int64_t stage, int64_t block) {
  return nn::drop_path_rate(c.drop_path_rate, c.blocks_before(stage) + block,
                            c.blocks_before(c.stages()));
}

torch::Tensor swin_pictures(const torch::Tensor& images, const SwinConfig& c) {
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorKind::bad_input,
                fmt::format("images: {} given, {}", to_string(images.sizes().vec()), why));
  };
  if (images.dim() != 4 || images.size(1) != c.in_chans)
    refuse(fmt::format("this model takes [batch, {}, height, width]", c.in_chans));
  const Pair size{images.size(2), images.size(3)}, covered = c.covered(size);
  if (covered[0] < 1 || covered[1] < 1)
    refuse(fmt::format("smaller than one patch of {}x{}", c.patch_size[0], c.patch_size[1]));
  const int64_t below = covered[0] - size[0], right = covered[1] - size[1];
  return below > 0 || right > 0 ? at::constant_pad_nd(images, {0, right, 0, below}) : images;
}

namespace {

/// The number behind `key` in a parameter's name, or nothing.
std::optional<int64_t> number_after(std::string_view key, std::string_view name) {
  const auto found = name.find(key);
  if (found == name.npos) return std::nullopt;
  const auto digits = name.substr(found + key.size());
  int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

int64_t swin_layer_id(std::string_view parameter, const SwinConfig& c) {
  const int64_t last = c.blocks_before(c.stages());
  if (parameter.starts_with("norm")) return last;
  if (parameter.starts_with("head")) return last + 1;
  const auto stage = number_after("layers.", parameter);
  if (!stage) return 0;
  const auto block = number_after(".blocks.", parameter);
  return block ? c.blocks_before(*stage) + *block + 1 : c.blocks_before(*stage + 1) + 1;
}

std::vector<std::string> parameters_with(const torch::nn::Module& model,
                                         std::span<const std::string_view> keywords) {
  std::vector<std::string> names;
  for (const auto& item : model.named_parameters())
    if (std::ranges::any_of(keywords, [&](std::string_view keyword) {
          return item.key().find(keyword) != std::string::npos;
        }))
      names.push_back(item.key());
  return names;
}

// ---- transfer -----------------------------------------------------------------------------------

namespace {

bool is_derived(std::string_view name) {
  return name.ends_with(".attn_mask") || name.ends_with(".relative_position_index") ||
         name.ends_with(".relative_coords_table");
}

/// Absolute positions on another grid; the old one is taken to be square, as the reference does.
torch::Tensor fit_positions(const torch::Tensor& old, Pair grid) {
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(old.size(1))));
  if (side * side != old.size(1))
    throw Error(ErrorKind::bad_input,
                fmt::format("absolute_pos_embed: {} positions are no square grid", old.size(1)));
  return nn::resize_pos_embed(old, {side, side}, grid, 0, /*antialias=*/false);
}

/// The official rule for a head of other classes: zeros.
HostTensor fit_head(const HostTensor& old, const Shape& shape) {
  if (!old.shape().empty() && old.shape()[0] == 21841 && shape[0] == 1000)
    throw unsupported_error(
        "head: the step from 21841 to 1000 classes needs the reference's table of classes "
        "(map22kto1k.txt), which is not here; start from the published 22kto1k file");
  return {old.dtype(), shape};
}

}  // namespace

NamedTensors fit_swin_state(const NamedTensors& state, const Adaptation& how, const Model& model,
                            const SwinConfig& config) {
  const bool official = how.procedure == "official";
  if (!official && how.procedure != "timm")
    throw unsupported_error("weights can be adapted by \"official\" or \"timm\", not by \"{}\"",
                            how.procedure);
  const auto parameters = model.named_parameters();
  NamedTensors out;
  for (const auto& [name, tensor] : state) {
    if (is_derived(name)) continue;
    const auto* own = parameters.find(name);
    const bool fits = own == nullptr || nn::shape_of(*own) == tensor.shape();
    if (!fits && tensor.shape().size() == 2 && name.ends_with(".relative_position_bias_table")) {
      const auto window = config.windows(*number_after("layers.", name)).window;
      const auto table = nn::to_torch(tensor);
      out.emplace_back(name, nn::to_host(official ? nn::resize_bias_bicubic(table, window)
                                                  : nn::resize_bias_geometric(table, window)));
    } else if (!fits && tensor.shape().size() == 3 && name == "absolute_pos_embed") {
      out.emplace_back(name, nn::to_host(fit_positions(nn::to_torch(tensor), config.grid())));
    } else if (!fits && official && name.starts_with("head.")) {
      out.emplace_back(name, fit_head(tensor, nn::shape_of(*own)));
    } else {
      out.emplace_back(name, tensor);
    }
  }
  return out;
}

std::string swin_misfit(const NamedTensors& state, const Model& model) {
  const auto differs = [&](const std::string& name, const Shape& shape) {
    const auto* given = find(state, name);
    return given && given->shape() != shape;
  };
  bool other = std::ranges::any_of(
      model.derived(), [&](const auto& item) { return differs(item.name, item.shape); });
  for (const auto& item : model.named_parameters())
    if (item.key() == "absolute_pos_embed" || item.key().ends_with("position_bias_table"))
      other = other || differs(item.key(), nn::shape_of(item.value()));
  if (!other) return "";
  return "they belong to another picture or window size: describe the file as it is (--arch, "
         "--config), or transfer it with `saccade convert IN OUT --img-size HxW --window-size N`";
}

// ---- derived tensors ----------------------------------------------------------------------------

void add_mask(std::vector<DerivedTensor>& all, const SwinConfig& c, int64_t stage, int64_t block,
              const std::string& prefix) {
  const auto windows = c.windows(stage);
  if (block % 2 == 0 || windows.shift == Pair{0, 0}) return;
  const auto map = c.map(stage), padded = windows.padded(map);
  const int64_t area = windows.window[0] * windows.window[1];
  all.push_back({prefix + "attn_mask", {padded[0] * padded[1] / area, area, area}, [=] {
                   return nn::to_host(BlockWindows(windows, block).mask_for(map));
                 }});
}

void add_index(std::vector<DerivedTensor>& all, const SwinConfig& c, int64_t stage,
               const std::string& prefix) {
  const auto window = c.windows(stage).window;
  const int64_t area = window[0] * window[1];
  all.push_back({prefix + "attn.relative_position_index", {area, area}, [=] {
                   return nn::to_host(nn::relative_position_index(window));
                 }});
}

}  // namespace saccade::models
