#include <algorithm>
#include <cmath>

#include "saccade/models/swin.h"

namespace saccade::models::swin {

void Config::validate(std::string_view where) const {
  SwinConfig::validate(where);
  if (qk_scale && !std::isfinite(*qk_scale))
    throw input_error(where, "\"qk_scale\" must be a number, is {}", *qk_scale);
}

double Config::scale(int64_t stage) const {
  if (qk_scale.value_or(0.0) != 0.0) return *qk_scale;
  const int64_t head_dim = dim(stage) / heads(stage);
  return 1.0 / std::sqrt(static_cast<double>(head_dim));
}

namespace {

// ---- presets -----------------------------------------------------------------------------------

/// Swin-T with 24 channels a head, published beside Swin-MLP.
constexpr SwinSize kTinyC24{96, {2, 2, 6, 2}, {4, 8, 16, 32}, 0.2};

/// How a size was trained and where it lies.
enum Training : unsigned { from_1k = 1, from_22k = 2, on_hub_1k = 4, on_hub_22k = 8 };

struct Row {
  std::string_view name;
  SwinSize size;
  int64_t window_size, img_size;
  unsigned trainings;
};

constexpr Row kRows[] = {
    {"swin_base_patch4_window12_384", kSwinBase, 12, 384,
     from_1k | from_22k | on_hub_1k | on_hub_22k},
    {"swin_base_patch4_window7_224", kSwinBase, 7, 224,
     from_1k | from_22k | on_hub_1k | on_hub_22k},
    {"swin_large_patch4_window12_384", kSwinLarge, 12, 384, from_22k | on_hub_1k | on_hub_22k},
    {"swin_large_patch4_window7_224", kSwinLarge, 7, 224, from_22k | on_hub_1k | on_hub_22k},
    {"swin_small_patch4_window7_224", kSwinSmall, 7, 224, from_1k | from_22k | on_hub_1k},
    {"swin_tiny_c24_patch4_window8_256", kTinyC24, 8, 256, 0},
    {"swin_tiny_patch4_window7_224", kSwinTiny, 7, 224, from_1k | from_22k | on_hub_1k},
};

constexpr int64_t kClasses22k = 21841;

std::vector<SwinAlias> aliases(const Row& row) {
  using From = SwinAlias::From;
  const std::string name(row.name);
  std::string hub = "microsoft/" + name;
  std::ranges::replace(hub, '_', '-');
  std::vector<SwinAlias> all;
  if (row.trainings & from_22k) {
    all.push_back({name + "_22k", From::official, kClasses22k});
    all.push_back({name + "_22kto1k", From::official});
    all.push_back({name + "_22kto1k_finetune", From::official});
  }
  if (row.trainings & from_1k) all.push_back({name + ".ms_in1k", From::timm});
  if (row.trainings & from_22k) {
    all.push_back({name + ".ms_in22k", From::timm, kClasses22k});
    all.push_back({name + ".ms_in22k_ft_in1k", From::timm});
  }
  if (row.trainings & on_hub_1k) all.push_back({hub, From::hub});
  if (row.trainings & on_hub_22k) all.push_back({hub + "-in22k", From::hub, kClasses22k});
  return all;
}

// ---- dialects ----------------------------------------------------------------------------------

const SwinNames kNames{
    "swin",
    {
        {{"query.{p}", "key.{p}", "value.{p}"}, "qkv.{p}"},
        {{"relative_position_bias_table"}, "relative_position_bias_table"},
        {{"relative_position_index"}, "relative_position_index"},
    },
    {"attn_mask", "attn.relative_position_index"},
    {"attn.relative_position_index"},
};

/// A scale of one's own has no name outside the official code.
std::vector<checkpoint::Dialect> dialects(const Json& json) {
  const auto config = read_config<Config>(json, "configuration");
  auto all = swin_dialects(config, kNames);
  if (config.qk_scale.value_or(0.0) != 0.0) all.resize(1);
  return all;
}

// ---- what the lean program asks -----------------------------------------------------------------

Json from_huggingface(const Json& json, std::string_view where) {
  Config config;
  read_huggingface_swin(config, json, where);
  config.validate(where);
  return to_json(config);
}

Json to_huggingface(const Json& json) {
  return write_huggingface_swin(read_config<Config>(json, "configuration"),
                                "SwinForImageClassification", "swin");
}

std::vector<ModuleCost> costs(const Json& json) {
  const auto c = read_config<Config>(json, "configuration");
  return swin_costs(
      c, {.attn_params = [&](int64_t stage) { return c.offsets(stage) * c.heads(stage); },
          .qkv_bias = c.qkv_bias,
          .merge_norm = 4});
}

}  // namespace

System system() {
  System s;
  s.name = "swin";
  s.summary = "Swin Transformer, shifted windows (Liu et al. 2021)";
  for (const auto& row : kRows) {
    Config config;
    set_swin_size(config, row.size, row.window_size, row.img_size);
    add_swin_presets(s, std::string(row.name), to_json(config), aliases(row));
  }
  s.complete = completed<Config>;
  s.from_huggingface = from_huggingface;
  s.to_huggingface = to_huggingface;
  s.huggingface_type = "swin";
  s.release_wrapper = "model";
  s.adopt_dialect = adopt_window_rule;
  s.dialects = dialects;
  s.costs = costs;
  return s;
}

}  // namespace saccade::models::swin
