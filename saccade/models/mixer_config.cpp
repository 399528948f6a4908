#include "saccade/models/costs.h"
#include "saccade/models/mixer.h"

namespace saccade::models::mixer {

std::span<const FixedArgument> Config::fixed() {
  static constexpr FixedArgument kArguments[] = {{"block_layer", "\"MixerBlock\""},
                                                 {"mlp_layer", "\"Mlp\""}};
  return kArguments;
}

void Config::validate(std::string_view where) const {
  check_patches(where, img_size, patch_size, in_chans);
  check_range(where, "num_classes", num_classes, 0, kMaxClasses);
  check_range(where, "embed_dim", embed_dim, 1, kMaxWidth);
  check_range(where, "num_blocks", num_blocks, 1, kMaxDepth);
  for (const double ratio : mlp_ratio) check_mlp_ratio(where, ratio, embed_dim);
  check_eps(where, norm_layer);
  check_rate(where, "drop_rate", drop_rate);
  check_rate(where, "proj_drop_rate", proj_drop_rate);
  check_rate(where, "drop_path_rate", drop_path_rate);
  if (global_pool != "avg" && !global_pool.empty())
    throw unsupported_error("{}: \"global_pool\" must be \"avg\" or \"\", is \"{}\"", where,
                            global_pool);
}

namespace {

// ---- presets -----------------------------------------------------------------------------------

struct Size {
  int64_t num_blocks, embed_dim;
};
constexpr Size kSmall{8, 512}, kBase{12, 768}, kLarge{24, 1024};

/// Google's weights see pixels in [-1, 1]; those of "ImageNet-21K Pretraining for the Masses" see
/// them in [0, 1], resized by another filter.
enum class Pixels { google, miil };

/// A timm tag: what follows the dot, with the classes and pixels it was published with.
struct Tag {
  std::string_view name;
  int64_t num_classes = 1000;
  Pixels pixels = Pixels::google;
};
constexpr Tag kIn21k{"goog_in21k", 21843}, kFineTuned{"goog_in21k_ft_in1k"};
constexpr Tag kMiilIn21k{"miil_in21k", 11221, Pixels::miil};
constexpr Tag kMiil{"miil_in21k_ft_in1k", 1000, Pixels::miil};
constexpr Tag kUntrained{"untrained"};

struct Row {
  std::string_view name;
  Size size;
  int64_t patch_size;
  std::vector<Tag> tags;
};

const std::vector<Row> kRows{
    {"mixer_b16_224", kBase, 16, {kIn21k, kFineTuned, kMiilIn21k, kMiil}},
    {"mixer_b32_224", kBase, 32, {kUntrained}},
    {"mixer_l16_224", kLarge, 16, {kIn21k, kFineTuned}},
    {"mixer_l32_224", kLarge, 32, {kUntrained}},
    {"mixer_s16_224", kSmall, 16, {kUntrained}},
    {"mixer_s32_224", kSmall, 32, {kUntrained}},
};

Config variant(const Row& row) {
  Config config;
  config.num_blocks = row.size.num_blocks, config.embed_dim = row.size.embed_dim;
  config.patch_size.fill(row.patch_size);
  return config;
}

Pipeline published_pipeline(Pixels pixels) {
  if (pixels == Pixels::google) return timm_pipeline(224, 0.875, 0.5, 0.5);
  auto pipeline = timm_pipeline(224, 0.875, 0.0, 1.0);
  pipeline.interpolation = Interpolation::bilinear;
  return pipeline;
}

void add_presets(System& system, const Row& row) {
  const auto config = variant(row);
  const std::string name(row.name);
  Preset preset{name, "mixer", {}, to_json(config), published_pipeline(Pixels::google)};
  for (const auto& tag : row.tags) {
    auto tagged = config;
    tagged.num_classes = tag.num_classes;
    preset.aliases.push_back(name + "." + std::string(tag.name));
    system.aliases.push_back(
        {preset.aliases.back(), "mixer", {}, to_json(tagged), published_pipeline(tag.pixels)});
  }
  system.presets.push_back(std::move(preset));
}

// ---- dialects ----------------------------------------------------------------------------------

/// google-research/vision_transformer: flax's names and layouts, bare or below its optimiser's.
checkpoint::Dialect jax() {
  using checkpoint::Layout;
  const std::string block = "MixerBlock_{i}/";
  checkpoint::Dialect d;
  d.name = "jax-npz";
  d.prefixes = {"opt/target/", "params/"};
  d.evidence = {"stem/kernel", block + "token_mixing/Dense_0/kernel"};
  d.total = true;
  const auto add = [&](const std::string& theirs, const std::string& ours, Layout layout) {
    d.rules.push_back({{theirs + "/kernel"}, ours + ".weight", layout});
    d.rules.push_back({{theirs + "/bias"}, ours + ".bias"});
  };
  const auto add_norm = [&](const std::string& theirs, const std::string& ours) {
    d.rules.push_back({{theirs + "/scale"}, ours + ".weight"});
    d.rules.push_back({{theirs + "/bias"}, ours + ".bias"});
  };
  add("stem", "stem.proj", Layout::conv_hwio);
  add_norm(block + "LayerNorm_0", "blocks.{i}.norm1");
  add(block + "token_mixing/Dense_0", "blocks.{i}.mlp_tokens.fc1", Layout::linear_in_out);
  add(block + "token_mixing/Dense_1", "blocks.{i}.mlp_tokens.fc2", Layout::linear_in_out);
  add_norm(block + "LayerNorm_1", "blocks.{i}.norm2");
  add(block + "channel_mixing/Dense_0", "blocks.{i}.mlp_channels.fc1", Layout::linear_in_out);
  add(block + "channel_mixing/Dense_1", "blocks.{i}.mlp_channels.fc2", Layout::linear_in_out);
  add_norm("pre_head_layer_norm", "norm");
  add("head", "head", Layout::linear_in_out);
  return d;
}

// ---- what the lean program asks -----------------------------------------------------------------

std::vector<ModuleCost> costs(const Json& json) {
  const auto c = read_config<Config>(json, "configuration");
  const int64_t dim = c.embed_dim, tokens = c.num_patches();
  CostTable table;
  table.linear("stem.proj", tokens, c.in_chans * c.patch_size[0] * c.patch_size[1], dim);
  if (c.stem_norm) table.norm("stem.norm", dim);
  for (int64_t i = 0; i < c.num_blocks; ++i) {
    const auto block = fmt::format("blocks.{}", i);
    table.norm(block + ".norm1", dim);
    table.linear(block + ".mlp_tokens.fc1", dim, tokens, c.tokens_hidden());
    table.linear(block + ".mlp_tokens.fc2", dim, c.tokens_hidden(), tokens);
    table.norm(block + ".norm2", dim);
    table.linear(block + ".mlp_channels.fc1", tokens, dim, c.channels_hidden());
    table.linear(block + ".mlp_channels.fc2", tokens, c.channels_hidden(), dim);
  }
  table.norm("norm", dim);
  const int64_t answers = c.global_pool == "avg" ? 1 : tokens;
  if (c.num_classes > 0) table.linear("head", answers, dim, c.num_classes);
  return std::move(table).rows();
}

}  // namespace

System system() {
  System s;
  s.name = "mixer";
  s.summary = "MLP-Mixer (Tolstikhin et al. 2021)";
  for (const auto& row : kRows) add_presets(s, row);
  s.complete = completed<Config>;
  s.dialects = [](const Json&) { return std::vector{jax()}; };
  s.costs = costs;
  return s;
}

}  // namespace saccade::models::mixer
