#include <algorithm>

#include "saccade/models/swinv2.h"

namespace saccade::models::swinv2 {

void Config::validate(std::string_view where) const {
  SwinConfig::validate(where);
  if (std::ssize(pretrained_window_sizes) < stages())
    throw input_error(where, "\"pretrained_window_sizes\" has {} stages, \"depths\" {}",
                      pretrained_window_sizes.size(), stages());
  for (const int64_t size : pretrained_window_sizes)
    check_range(where, "pretrained_window_sizes", size, 0, 65536);
}

namespace {

// ---- presets -----------------------------------------------------------------------------------

struct Row {
  std::string_view name;
  SwinSize size;
  int64_t window_size, img_size;
  std::string_view timm, tag;
  std::string_view official_alias;  ///< as the release calls it, if not `name`
  bool fine_tuned = false;          ///< from window 12 at 192
  int64_t num_classes = 1000;
};

constexpr int64_t kClasses22k = 21841;

// clang-format off
constexpr Row kRows[] = {
    {"swinv2_base_patch4_window12_192", kSwinBase, 12, 192,
     "swinv2_base_window12_192", ".ms_in22k",
     "swinv2_base_patch4_window12_192_22k", false, kClasses22k},
    {"swinv2_base_patch4_window12to16_192to256", kSwinBase, 16, 256,
     "swinv2_base_window12to16_192to256", ".ms_in22k_ft_in1k",
     "swinv2_base_patch4_window12to16_192to256_22kto1k_ft", true},
    {"swinv2_base_patch4_window12to24_192to384", kSwinBase, 24, 384,
     "swinv2_base_window12to24_192to384", ".ms_in22k_ft_in1k",
     "swinv2_base_patch4_window12to24_192to384_22kto1k_ft", true},
    {"swinv2_base_patch4_window16_256", kSwinBase, 16, 256,
     "swinv2_base_window16_256", ".ms_in1k", ""},
    {"swinv2_base_patch4_window8_256", kSwinBase, 8, 256,
     "swinv2_base_window8_256", ".ms_in1k", ""},
    {"swinv2_large_patch4_window12_192", kSwinLarge, 12, 192,
     "swinv2_large_window12_192", ".ms_in22k",
     "swinv2_large_patch4_window12_192_22k", false, kClasses22k},
    {"swinv2_large_patch4_window12to16_192to256", kSwinLarge, 16, 256,
     "swinv2_large_window12to16_192to256", ".ms_in22k_ft_in1k",
     "swinv2_large_patch4_window12to16_192to256_22kto1k_ft", true},
    {"swinv2_large_patch4_window12to24_192to384", kSwinLarge, 24, 384,
     "swinv2_large_window12to24_192to384", ".ms_in22k_ft_in1k",
     "swinv2_large_patch4_window12to24_192to384_22kto1k_ft", true},
    {"swinv2_small_patch4_window16_256", kSwinSmall, 16, 256,
     "swinv2_small_window16_256", ".ms_in1k", ""},
    {"swinv2_small_patch4_window8_256", kSwinSmall, 8, 256,
     "swinv2_small_window8_256", ".ms_in1k", ""},
    {"swinv2_tiny_patch4_window16_256", kSwinTiny, 16, 256,
     "swinv2_tiny_window16_256", ".ms_in1k", ""},
    {"swinv2_tiny_patch4_window8_256", kSwinTiny, 8, 256,
     "swinv2_tiny_window8_256", ".ms_in1k", ""},
};
// clang-format on

Config variant(const Row& row) {
  Config config;
  set_swin_size(config, row.size, row.window_size, row.img_size);
  config.num_classes = row.num_classes;
  if (row.fine_tuned || row.num_classes == kClasses22k) config.drop_path_rate = 0.2;
  if (row.fine_tuned) config.pretrained_window_sizes = {12, 12, 12, 6};
  return config;
}

std::vector<SwinAlias> aliases(const Row& row) {
  using From = SwinAlias::From;
  const std::string released(row.official_alias.empty() ? row.name : row.official_alias);
  const std::string timm(row.timm);
  std::vector<SwinAlias> all;
  if (!row.official_alias.empty()) all.push_back({released, From::official, row.num_classes});
  all.push_back({timm, From::timm, row.num_classes});
  all.push_back({timm + std::string(row.tag), From::timm, row.num_classes});
  std::string hub = "microsoft/" + released;
  std::ranges::replace(hub, '_', '-');
  all.push_back({hub, From::hub, row.num_classes});
  return all;
}

// ---- dialects ----------------------------------------------------------------------------------

const SwinNames kNames{
    "swinv2",
    {
        {{"query.weight", "key.weight", "value.weight"}, "qkv.weight"},
        {{"query.bias"}, "q_bias"},
        {{"value.bias"}, "v_bias"},
        {{"logit_scale"}, "logit_scale"},
        {{"continuous_position_bias_mlp.0.{p}"}, "cpb_mlp.0.{p}"},
        {{"continuous_position_bias_mlp.2.{p}"}, "cpb_mlp.2.{p}"},
        {{"relative_coords_table"}, "relative_coords_table"},
        {{"relative_position_index"}, "relative_position_index"},
    },
    {"attn_mask", "attn.relative_coords_table", "attn.relative_position_index"},
    {},
};

std::vector<checkpoint::Dialect> dialects(const Json& json) {
  return swin_dialects(read_config<Config>(json, "configuration"), kNames);
}

// ---- what the lean program asks -----------------------------------------------------------------

Json from_huggingface(const Json& json, std::string_view where) {
  Config config;
  read_huggingface_swin(config, json, where);
  ConfigReader(json, where)("pretrained_window_sizes", config.pretrained_window_sizes);
  config.validate(where);
  return to_json(config);
}

Json to_huggingface(const Json& json) {
  const auto config = read_config<Config>(json, "configuration");
  auto out = write_huggingface_swin(config, "Swinv2ForImageClassification", "swinv2");
  out["pretrained_window_sizes"] = config.pretrained_window_sizes;
  return out;
}

/// The tables of another window keep the coordinates of the windows that the weights learned.
void inherit(const Json& source, Json& config) {
  const auto c = read_config<Config>(source, "configuration");
  List windows;
  for (int64_t i = 0; i < c.stages(); ++i)
    windows.push_back(c.pretrained_window(i) > 0 ? c.pretrained_window(i) : c.windows(i).window[0]);
  config["pretrained_window_sizes"] = windows;
}

std::vector<ModuleCost> costs(const Json& json) {
  const auto c = read_config<Config>(json, "configuration");
  const auto loose = [&](int64_t stage) {
    const int64_t heads = c.heads(stage);  // logit_scale; the bias network; q_bias and v_bias
    return heads + (3 + heads) * kBiasHidden + (c.qkv_bias ? 2 * c.dim(stage) : 0);
  };
  return swin_costs(c, {.attn_params = loose, .qkv_bias = false, .merge_norm = 2});
}

}  // namespace

System system() {
  System s;
  s.name = "swinv2";
  s.summary =
      "Swin Transformer V2, cosine attention and a computed position bias (Liu et al. 2022)";
  for (const auto& row : kRows)
    add_swin_presets(s, std::string(row.name), to_json(variant(row)), aliases(row));
  s.complete = completed<Config>;
  s.from_huggingface = from_huggingface;
  s.to_huggingface = to_huggingface;
  s.huggingface_type = "swinv2";
  s.release_wrapper = "model";
  s.adopt_dialect = adopt_window_rule;
  s.inherit = inherit;
  s.dialects = dialects;
  s.costs = costs;
  return s;
}

}  // namespace saccade::models::swinv2
