#include <bit>

#include "saccade/models/vit.h"

namespace saccade::models::vit {

void Config::validate(std::string_view where) const {
  PlainVitConfig::validate(where);
  if (global_pool != "token" && global_pool != "avg")
    throw unsupported_error("{}: \"global_pool\" must be \"token\" or \"avg\", is \"{}\"", where,
                            global_pool);
  if (global_pool == "token" && !class_token)
    throw input_error(where, "\"global_pool\" \"token\" needs \"class_token\"");
  if (stem != "patch" && stem != "conv")
    throw input_error(where, "\"stem\" must be \"patch\" or \"conv\", is \"{}\"", stem);
  const auto patch = static_cast<uint64_t>(patch_size[0]);
  if (stem == "patch") return;
  if (patch_size[0] != patch_size[1] || patch < 2 || !std::has_single_bit(patch))
    throw input_error(where, "\"stem\" \"conv\" needs a \"patch_size\" of 2, 4, 8, ...");
  if (img_size[0] % patch_size[0] != 0 || img_size[1] % patch_size[0] != 0)
    throw input_error(where, "\"stem\" \"conv\" needs an \"img_size\" that \"patch_size\" divides");
}

std::vector<Config::StemLayer> Config::stem_layers() const {
  int64_t channels = (embed_dim + 47) / 48 * 8;  // embed_dim / 6, a multiple of 8
  std::vector<StemLayer> layers;
  for (int64_t side = patch_size[0]; side > 1; side /= 2) {
    layers.push_back({channels, 1});
    channels *= 2;
    layers.push_back({channels, 2});
  }
  return layers;
}

namespace {

// ---- presets -----------------------------------------------------------------------------------

Config variant(PlainVitSize size, int64_t patch_size, int64_t img_size) {
  Config config;
  config.img_size.fill(img_size), config.patch_size.fill(patch_size);
  config.embed_dim = size.embed_dim, config.depth = size.depth, config.num_heads = size.num_heads;
  return config;
}

/// AugReg and the original releases scale pixels to [-1, 1]; 384-pixel pictures are not cropped.
Pipeline augreg_pipeline(int64_t img_size) {
  return timm_pipeline(img_size, img_size == 384 ? 1.0 : 0.9, 0.5, 0.5);
}

enum class Statistics { half, imagenet };

/// A timm tag: what follows the dot, with the classes and pixel statistics it was published with.
struct Tag {
  std::string_view name;
  int64_t num_classes = 1000;
  Statistics statistics = Statistics::half;
};
constexpr Tag kDino{"dino", 0, Statistics::imagenet}, kMae{"mae", 0, Statistics::imagenet};
constexpr Tag kIn21k{"augreg_in21k", 21843}, kFineTuned{"augreg_in21k_ft_in1k"};
constexpr Tag kIn1k{"augreg_in1k"}, kSam{"sam_in1k"};
constexpr Tag kOrig21k{"orig_in21k", 0}, kOrigFineTuned{"orig_in21k_ft_in1k"};

/// A Hugging Face repository in its own conventions: LayerNorm eps 1e-12, pictures squashed.
struct Hub {
  std::string_view name;
  int64_t num_classes = 1000;
};

struct Row {
  std::string_view name;
  PlainVitSize size;
  int64_t patch_size, img_size;
  std::vector<Tag> tags;
  std::vector<Hub> hubs{};
};

// clang-format off
const std::vector<Row> kRows{
    {"vit_base_patch16_224", kBase, 16, 224,
     {{"augreg2_in21k_ft_in1k"}, kIn1k, kIn21k, kFineTuned, kDino, kMae, kOrig21k, kOrigFineTuned,
      kSam},
     {{"google/vit-base-patch16-224"}, {"google/vit-base-patch16-224-in21k", 0}}},
    {"vit_base_patch16_384", kBase, 16, 384, {kIn1k, kFineTuned, kOrigFineTuned},
     {{"google/vit-base-patch16-384"}}},
    {"vit_base_patch32_224", kBase, 32, 224, {kIn1k, kIn21k, kFineTuned, kOrig21k, kSam},
     {{"google/vit-base-patch32-224-in21k", 0}}},
    {"vit_base_patch32_384", kBase, 32, 384, {kIn1k, kFineTuned},
     {{"google/vit-base-patch32-384"}}},
    {"vit_base_patch8_224", kBase, 8, 224,
     {{"augreg2_in21k_ft_in1k"}, kIn21k, kFineTuned, kDino}},
    {"vit_large_patch16_224", kLarge, 16, 224, {kIn21k, kFineTuned, kMae, kOrig21k},
     {{"google/vit-large-patch16-224"}, {"google/vit-large-patch16-224-in21k", 0}}},
    {"vit_large_patch16_384", kLarge, 16, 384, {kFineTuned},
     {{"google/vit-large-patch16-384"}}},
    {"vit_large_patch32_224", kLarge, 32, 224, {kOrig21k},
     {{"google/vit-large-patch32-224-in21k", 0}}},
    {"vit_large_patch32_384", kLarge, 32, 384, {kOrigFineTuned},
     {{"google/vit-large-patch32-384"}}},
    {"vit_small_patch16_224", kSmall, 16, 224, {kIn1k, kIn21k, kFineTuned, kDino}},
    {"vit_small_patch16_384", kSmall, 16, 384, {kIn1k, kFineTuned}},
    {"vit_small_patch32_224", kSmall, 32, 224, {kIn21k, kFineTuned}},
    {"vit_small_patch32_384", kSmall, 32, 384, {kFineTuned}},
    {"vit_small_patch8_224", kSmall, 8, 224, {kDino}},
    {"vit_tiny_patch16_224", kTiny, 16, 224, {kIn21k, kFineTuned}},
    {"vit_tiny_patch16_384", kTiny, 16, 384, {kFineTuned}},
};
// clang-format on

void add_presets(System& system, const Row& row) {
  const auto config = variant(row.size, row.patch_size, row.img_size);
  const std::string name(row.name);
  Preset preset{name, "vit", {}, to_json(config), augreg_pipeline(row.img_size)};
  for (const auto& tag : row.tags) {
    auto tagged = config;
    tagged.num_classes = tag.num_classes;
    auto pipeline = preset.pipeline;
    if (tag.statistics == Statistics::imagenet)
      pipeline.mean = Pipeline().mean, pipeline.std = Pipeline().std;
    preset.aliases.push_back(name + "." + std::string(tag.name));
    system.aliases.push_back({preset.aliases.back(), "vit", {}, to_json(tagged), pipeline});
  }
  for (const auto& hub : row.hubs) {
    auto theirs = config;
    theirs.num_classes = hub.num_classes;
    theirs.norm_layer.eps = 1e-12;
    preset.aliases.emplace_back(hub.name);
    system.aliases.push_back(
        {preset.aliases.back(), "vit", {}, to_json(theirs), huggingface_pipeline(row.img_size)});
  }
  system.presets.push_back(std::move(preset));
}

// ---- dialects ----------------------------------------------------------------------------------

checkpoint::Dialect huggingface() {
  auto dialect = huggingface_vit_dialect("vit");
  dialect.rules.push_back({{"classifier.{p}"}, "head.{p}"});
  return dialect;
}

/// google-research/vision_transformer: modules count globally (1 to 3) in the releases before linen
/// and per class in big_vision's files, where the position table lies at the root.
checkpoint::Dialect jax(const Config& config, bool big_vision) {
  using checkpoint::Layout;
  const std::string block = "Transformer/encoderblock_{i}/";
  const auto module = [&](std::string_view name, int global, int local) {
    return fmt::format("{}{}_{}/", block, name, big_vision ? local : global);
  };
  const auto norm1 = module("LayerNorm", 0, 0), norm2 = module("LayerNorm", 2, 1);
  const auto attn = module("MultiHeadDotProductAttention", 1, 0), mlp = module("MlpBlock", 3, 0);
  checkpoint::Dialect d;
  d.name = "jax-npz";
  d.num_heads = config.num_heads;
  d.total = true;
  d.prefixes = {"opt/target/", "params/"};
  d.evidence = {"embedding/kernel", attn + "query/kernel"};
  const auto add = [&](std::vector<std::string> theirs, std::string ours, Layout layout) {
    d.rules.push_back({std::move(theirs), std::move(ours), layout});
  };
  const auto add_norm = [&](const std::string& theirs, const std::string& ours) {
    add({theirs + "scale"}, ours + ".weight", Layout::same);
    add({theirs + "bias"}, ours + ".bias", Layout::same);
  };
  const auto add_linear = [&](const std::string& theirs, const std::string& ours) {
    add({theirs + "kernel"}, ours + ".weight", Layout::linear_in_out);
    add({theirs + "bias"}, ours + ".bias", Layout::same);
  };
  add({"cls"}, "cls_token", Layout::same);
  add({big_vision ? "pos_embedding" : "Transformer/posembed_input/pos_embedding"}, "pos_embed",
      Layout::same);
  add({"embedding/kernel"}, "patch_embed.proj.weight", Layout::conv_hwio);
  add({"embedding/bias"}, "patch_embed.proj.bias", Layout::same);
  add_norm(norm1, "blocks.{i}.norm1");
  add({attn + "query/kernel", attn + "key/kernel", attn + "value/kernel"},
      "blocks.{i}.attn.qkv.weight", Layout::heads_in);
  add({attn + "query/bias", attn + "key/bias", attn + "value/bias"}, "blocks.{i}.attn.qkv.bias",
      Layout::heads_bias);
  add({attn + "out/kernel"}, "blocks.{i}.attn.proj.weight", Layout::heads_out);
  add({attn + "out/bias"}, "blocks.{i}.attn.proj.bias", Layout::same);
  add_norm(norm2, "blocks.{i}.norm2");
  add_linear(mlp + "Dense_0/", "blocks.{i}.mlp.fc1");
  add_linear(mlp + "Dense_1/", "blocks.{i}.mlp.fc2");
  add_norm("Transformer/encoder_norm/", config.global_pool == "avg" ? "fc_norm" : "norm");
  add_linear("head/", "head");
  d.dropped = {"pre_logits/{p}"};
  return d;
}

// ---- what the lean program asks -----------------------------------------------------------------

Json from_huggingface(const Json& json, std::string_view where) {
  Config config;
  read_huggingface_vit(config, json, where);
  config.validate(where);
  return to_json(config);
}

std::vector<checkpoint::Dialect> dialects(const Json& json) {
  const auto config = read_config<Config>(json, "configuration");
  if (config.stem == "conv") return {};
  return {huggingface(), jax(config, false), jax(config, true)};
}

/// The convolutional stem: its 3x3 convolutions with BatchNorm, then the 1x1 projection.
void add_stem(CostTable& table, const Config& c) {
  int64_t in = c.in_chans, height = c.img_size[0], width = c.img_size[1], index = 0;
  for (const auto& layer : c.stem_layers()) {
    height /= layer.stride, width /= layer.stride;
    const auto path = fmt::format("patch_embed.stem.{}", index++);
    table.linear(path + ".conv", height * width, 9 * in, layer.channels, false);
    table.norm(path + ".norm", layer.channels);
    in = layer.channels;
  }
  table.linear("patch_embed.proj", height * width, in, c.embed_dim);
}

std::vector<ModuleCost> costs(const Json& json) {
  const auto c = read_config<Config>(json, "configuration");
  PlainVitCosts shape;
  shape.prefix_tokens = c.prefix_tokens();
  shape.loose_params = (c.prefix_tokens() + c.prefix_tokens() + c.num_patches()) * c.embed_dim;
  shape.patch_bias = !c.pre_norm;
  shape.norms.clear();
  if (c.pre_norm) shape.norms.emplace_back("norm_pre");
  shape.norms.emplace_back(c.global_pool == "avg" ? "fc_norm" : "norm");
  if (c.stem == "conv") shape.stem = [&](CostTable& table) { add_stem(table, c); };
  return plain_vit_costs(c, shape);
}

}  // namespace

System system() {
  System s;
  s.name = "vit";
  s.summary = "Vision Transformer (Dosovitskiy et al. 2021)";
  for (const auto& row : kRows) add_presets(s, row);
  s.complete = completed<Config>;
  s.from_huggingface = from_huggingface;
  s.to_huggingface = [](const Json& json) {
    return write_huggingface_vit(read_config<Config>(json, "configuration"),
                                 "ViTForImageClassification", "vit");
  };
  s.huggingface_type = "vit";
  s.dialects = dialects;
  s.costs = costs;
  return s;
}

}  // namespace saccade::models::vit
