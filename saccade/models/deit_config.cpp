#include "saccade/models/deit.h"

namespace saccade::models::deit {

std::span<const FixedArgument> Config::fixed() {
  static const auto arguments = [] {
    std::vector<FixedArgument> all(std::begin(kPlainVitFixed), std::end(kPlainVitFixed));
    all.insert(all.end(),
               {{"class_token", "true"}, {"global_pool", "\"token\""}, {"pre_norm", "false"}});
    return all;
  }();
  return arguments;
}

namespace {

// ---- presets -----------------------------------------------------------------------------------

Config variant(PlainVitSize size, int64_t img_size, bool distilled) {
  Config config;
  config.img_size.fill(img_size);
  config.embed_dim = size.embed_dim, config.depth = size.depth, config.num_heads = size.num_heads;
  config.distilled = distilled;
  return config;
}

struct Row {
  std::string_view name;
  PlainVitSize size;
  int64_t img_size;
  bool distilled;
};

constexpr Row kRows[] = {
    {"deit_base_distilled_patch16_224", kBase, 224, true},
    {"deit_base_distilled_patch16_384", kBase, 384, true},
    {"deit_base_patch16_224", kBase, 224, false},
    {"deit_base_patch16_384", kBase, 384, false},
    {"deit_small_distilled_patch16_224", kSmall, 224, true},
    {"deit_small_patch16_224", kSmall, 224, false},
    {"deit_tiny_distilled_patch16_224", kTiny, 224, true},
    {"deit_tiny_patch16_224", kTiny, 224, false},
};

/// main.py evaluates with crop ratio 0.875; timm lists the same weights with 0.9 (1.0 at 384).
Pipeline official_pipeline(int64_t img_size) { return timm_pipeline(img_size, 0.875, 0, 0); }
Pipeline tag_pipeline(int64_t img_size) {
  return timm_pipeline(img_size, img_size == 384 ? 1.0 : 0.9, 0, 0);
}

/// DeiTImageProcessor as the hub's files set it: resize, centre crop, ImageNet statistics.
Pipeline hub_pipeline(int64_t img_size) {
  auto pipeline = official_pipeline(img_size);
  pipeline.resize = ResizeRule::exact;
  pipeline.rescale_in_double = true;
  return pipeline;
}

void add_presets(System& system, const Row& row) {
  const std::string name(row.name);
  auto config = variant(row.size, row.img_size, row.distilled);
  Preset preset{name, "deit", {}, to_json(config), official_pipeline(row.img_size)};

  preset.aliases.push_back(name + ".fb_in1k");
  system.aliases.push_back(
      {preset.aliases.back(), "deit", {}, preset.config, tag_pipeline(row.img_size)});

  std::string hub = "facebook/" + name;
  std::ranges::replace(hub, '_', '-');
  config.norm_layer.eps = 1e-12;
  preset.aliases.push_back(hub);
  system.aliases.push_back({hub, "deit", {}, to_json(config), hub_pipeline(row.img_size)});

  system.presets.push_back(std::move(preset));
}

// ---- dialects ----------------------------------------------------------------------------------

/// The hub has the distilled models as DeiT and the plain ones as ViT.
std::vector<checkpoint::Dialect> dialects(const Json& json) {
  const auto config = read_config<Config>(json, "configuration");
  auto dialect = huggingface_vit_dialect(config.distilled ? "deit" : "vit");
  if (!config.distilled) {
    dialect.rules.push_back({{"classifier.{p}"}, "head.{p}"});
    return {dialect};
  }
  dialect.evidence.emplace_back("deit.embeddings.distillation_token");
  dialect.rules.push_back({{"deit.embeddings.distillation_token"}, "dist_token"});
  dialect.rules.push_back({{"cls_classifier.{p}"}, "head.{p}"});
  dialect.rules.push_back({{"distillation_classifier.{p}"}, "head_dist.{p}"});
  return {dialect};
}

// ---- what the lean program asks -----------------------------------------------------------------

Json from_huggingface(const Json& json, std::string_view where) {
  Config config;
  read_huggingface_vit(config, json, where);
  config.distilled = true;
  config.validate(where);
  return to_json(config);
}

/// The hub has the distilled models as DeiT and the plain ones as ViT.
Json to_huggingface(const Json& json) {
  const auto config = read_config<Config>(json, "configuration");
  if (!config.distilled) return write_huggingface_vit(config, "ViTForImageClassification", "vit");
  return write_huggingface_vit(config, "DeiTForImageClassificationWithTeacher", "deit");
}

void select_class(std::string_view model_class, Json& config) {
  if (model_class == "DeiTForImageClassification")
    throw unsupported_error(
        "DeiTForImageClassification has a distillation token without a head, which no published "
        "DeiT has; DeiTForImageClassificationWithTeacher is supported");
  const bool distilled = model_class.find("istilled") != model_class.npos ||
                         model_class == "DeiTForImageClassificationWithTeacher";
  if (!config.contains("distilled")) config["distilled"] = distilled;
}

std::vector<ModuleCost> costs(const Json& json) {
  const auto c = read_config<Config>(json, "configuration");
  PlainVitCosts shape;
  shape.prefix_tokens = c.prefix_tokens();
  shape.loose_params = (2 * c.prefix_tokens() + c.num_patches()) * c.embed_dim;
  if (c.distilled) shape.heads.emplace_back("head_dist");
  return plain_vit_costs(c, shape);
}

}  // namespace

System system() {
  System s;
  s.name = "deit";
  s.summary = "Data-efficient image transformers (Touvron et al. 2021)";
  for (const auto& row : kRows) add_presets(s, row);
  s.select_class = select_class;
  s.complete = completed<Config>;
  s.from_huggingface = from_huggingface;
  s.to_huggingface = to_huggingface;
  s.huggingface_type = "deit";
  s.release_wrapper = "model";
  s.dialects = dialects;
  s.costs = costs;
  return s;
}

}  // namespace saccade::models::deit
