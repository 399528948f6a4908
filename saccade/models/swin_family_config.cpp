#include "saccade/models/swin_family.h"

#include <algorithm>
#include <cmath>

#include "saccade/models/costs.h"

namespace saccade::models {
namespace {

std::string text(Pair size) { return fmt::format("{}x{}", size[0], size[1]); }
int64_t smaller(Pair size) { return std::min(size[0], size[1]); }
int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

constexpr std::string_view kOtherRules =
    "or set \"window_rule\" to \"timm\" or \"huggingface\", which pad";

Pair official_shift(const StageWindows& s, Pair map) {
  const int64_t side = smaller(map);
  const bool clamped = side <= s.asked[0];
  const Pair window = clamped ? Pair{side, side} : s.asked;
  if (window != s.window)
    throw Error(
        ErrorKind::bad_input,
        fmt::format("stage {}: a map of {} takes windows of {}, the tables are made for {}; "
                    "transfer them with `saccade convert IN OUT --img-size HxW`",
                    s.stage, text(map), text(window), text(s.window)));
  if (map[0] % window[0] != 0 || map[1] % window[1] != 0)
    throw Error(ErrorKind::bad_input,
                fmt::format("stage {}: windows of {} do not divide a map of {}; the official rule "
                            "pads nothing: take an image whose map they divide, {}",
                            s.stage, text(window), text(map), kOtherRules));
  return clamped ? Pair{0, 0} : Pair{window[0] / 2, window[1] / 2};
}

}  // namespace

// ---- windows ------------------------------------------------------------------------------------

Pair StageWindows::shift_on(Pair map) const {
  if (rule == WindowRule::official) return official_shift(*this, map);
  if (rule != WindowRule::huggingface) return shift;
  if (smaller(map) < window[0])
    throw Error(ErrorKind::bad_input,
                fmt::format("stage {}: a map of {} is smaller than its window of {}, which Hugging "
                            "Face's Swin refuses: take a larger image or \"window_rule\" \"timm\"",
                            stage, text(map), text(window)));
  return smaller(map) == window[0] ? Pair{0, 0} : Pair{window[0] / 2, window[1] / 2};
}

Pair StageWindows::padded(Pair map) const {
  return {round_up(map[0], window[0]), round_up(map[1], window[1])};
}

Pair merged_map(WindowRule rule, Pair map) {
  if (rule == WindowRule::official && (map[0] % 2 != 0 || map[1] % 2 != 0))
    throw Error(
        ErrorKind::bad_input,
        fmt::format("a map of {} has an odd side and cannot be merged 2x2; the official rule "
                    "pads nothing: take an image with even maps, {}",
                    text(map), kOtherRules));
  return {(map[0] + 1) / 2, (map[1] + 1) / 2};
}

WindowRule SwinConfig::rule() const {
  if (window_rule == "timm") return WindowRule::timm;
  if (window_rule != "huggingface") return WindowRule::official;
  return generation == 1 ? WindowRule::huggingface : WindowRule::huggingface_v2;
}

Pair SwinConfig::covered(Pair image) const {
  const auto r = rule();
  const bool pads = r == WindowRule::huggingface || r == WindowRule::huggingface_v2;
  const auto side = [&](size_t i) {
    return pads ? round_up(image[i], patch_size[i]) : image[i] / patch_size[i] * patch_size[i];
  };
  return {side(0), side(1)};
}

Pair SwinConfig::map(int64_t stage) const {
  const auto pixels = covered(img_size);
  Pair size{pixels[0] / patch_size[0], pixels[1] / patch_size[1]};
  for (int64_t i = 0; i < stage; ++i) size = merged_map(rule(), size);
  return size;
}

StageWindows SwinConfig::windows(int64_t stage) const {
  StageWindows s{stage, rule(), window_size, window_size, {0, 0}};
  const auto half = [&](size_t i) { return window_size[i] / 2; };
  const auto here = map(stage);
  switch (s.rule) {
    case WindowRule::official:
      if (smaller(here) <= window_size[0]) s.window.fill(smaller(here));
      s.shift = official_shift(s, here);
      break;
    case WindowRule::timm:
      for (const size_t i : {0u, 1u}) {
        s.window[i] = std::min(here[i], window_size[i]);
        s.shift[i] = here[i] <= window_size[i] ? 0 : half(i);
      }
      break;
    case WindowRule::huggingface: s.shift = s.shift_on(here); break;
    case WindowRule::huggingface_v2: {
      const int64_t height = grid()[0] >> stage;
      s.window.fill(std::min(height, window_size[0]));
      s.shift.fill(height <= window_size[0] ? 0 : half(0));
      break;
    }
  }
  return s;
}

int64_t SwinConfig::offsets(int64_t stage) const {
  const auto window = windows(stage).window;
  return (2 * window[0] - 1) * (2 * window[1] - 1);
}

int64_t SwinConfig::blocks_before(int64_t stage) const {
  int64_t sum = 0;
  for (int64_t i = 0; i < stage; ++i) sum += depth(i);
  return sum;
}

// ---- arguments ----------------------------------------------------------------------------------

std::span<const FixedArgument> SwinConfig::fixed() {
  static constexpr FixedArgument arguments[] = {
      {"always_partition", "false"},
      {"drop_path", "null"},
      {"dynamic_img_size", kAnyValue},
      {"embed_layer", "null"},
      {"fused_window_process", kAnyValue},
      {"global_pool", "\"avg\""},
      {"head_dim", "null"},
      {"proj_drop_rate", "0.0"},
      {"strict_img_size", kAnyValue},
      {"use_checkpoint", kAnyValue},
      {"weight_init", "\"\""},
  };
  return arguments;
}

namespace {

void validate_stages(const SwinConfig& c, std::string_view where) {
  check_range(where, "number of stages", c.stages(), 1, 12);
  for (int64_t i = 0; i < c.stages(); ++i) {
    check_range(where, "depths", c.depth(i), 1, kMaxDepth);
    if (i >= std::ssize(c.num_heads))
      throw input_error(where, "\"num_heads\" has {} stages, \"depths\" {}", c.num_heads.size(),
                        c.stages());
    check_range(where, "embed_dim", c.dim(i), 1, kMaxWidth);
    check_range(where, "num_heads", c.heads(i), 1, c.dim(i));
    if (c.dim(i) % c.heads(i) != 0)
      throw input_error(where, "stage {}: the width {} is not a multiple of its {} heads", i,
                        c.dim(i), c.heads(i));
    check_mlp_ratio(where, c.mlp_ratio, c.dim(i));
  }
}

void validate_windows(const SwinConfig& c, std::string_view where) {
  constexpr std::string_view kRules[] = {"dialect", "official", "timm", "huggingface"};
  if (std::ranges::find(kRules, c.window_rule) == std::end(kRules))
    throw input_error(where,
                      "\"window_rule\" must be \"official\", \"timm\", \"huggingface\" or "
                      "\"dialect\", is \"{}\"",
                      c.window_rule);
  for (const int64_t side : c.window_size) check_range(where, "window_size", side, 1, 65536);
  if (c.window_size[0] != c.window_size[1] && c.window_rule != "timm" && c.window_rule != "dialect")
    throw input_error(where, "\"window_size\" must be one number under the {} rule, is {}",
                      c.window_rule, text(c.window_size));
  if (c.window_rule == "dialect") return;  // the maps depend on the rule
  try {
    for (int64_t i = 0; i < c.stages(); ++i) {
      const auto window = c.windows(i).window;
      check_range(where, "smaller side of the last map", smaller(c.map(i)), 1, 65536);
      check_range(where, "tokens of a window", window[0] * window[1], 1, 96 * 96);
    }
  } catch (const Error& e) {
    throw input_error(where, "\"img_size\" {}: {}", text(c.img_size), e.what());
  }
}

}  // namespace

void SwinConfig::validate(std::string_view where) const {
  check_patches(where, img_size, patch_size, in_chans);
  check_range(where, "num_classes", num_classes, 0, kMaxClasses);
  check_range(where, "embed_dim", embed_dim, 1, kMaxWidth);
  check_eps(where, norm_layer);
  check_eps(where, {merge_eps()});
  check_rate(where, "drop_rate", drop_rate);
  check_rate(where, "attn_drop_rate", attn_drop_rate);
  check_rate(where, "drop_path_rate", drop_path_rate);
  validate_stages(*this, where);
  validate_windows(*this, where);
}

void read_huggingface_swin(SwinConfig& config, const Json& json, std::string_view where) {
  ConfigReader read(json, where);
  bool absolute = false;
  double hidden_dropout = 0.0;
  read("image_size", config.img_size), read("patch_size", config.patch_size);
  read("num_channels", config.in_chans), read("embed_dim", config.embed_dim);
  read("depths", config.depths), read("num_heads", config.num_heads);
  read("window_size", config.window_size), read("mlp_ratio", config.mlp_ratio);
  read("qkv_bias", config.qkv_bias), read("hidden_dropout_prob", hidden_dropout);
  read("attention_probs_dropout_prob", config.attn_drop_rate);
  read("drop_path_rate", config.drop_path_rate), read("hidden_act", config.act_layer);
  read("layer_norm_eps", config.norm_layer.eps), read("use_absolute_embeddings", absolute);
  if (absolute)
    throw unsupported_error(
        "{}: \"use_absolute_embeddings\" is not supported: transformers makes one position too "
        "many "
        "and fails itself",
        where);
  config.drop_rate = hidden_dropout;
  if (config.norm_layer.eps != 1e-5) config.merge_norm_eps = 1e-5;
  config.num_classes = 2;  // PretrainedConfig's default
  if (json.contains("id2label")) config.num_classes = std::ssize(huggingface_labels(json, where));
  read("num_labels", config.num_classes);
  read.finish({}, ConfigReader::Unknown::ignore);
  config.window_rule = "huggingface";
}

Json write_huggingface_swin(const SwinConfig& config, const std::string& architecture,
                            const std::string& model_type) {
  const Json common = to_json(config);
  return {{"architectures", Json::array({architecture})},
          {"model_type", model_type},
          {"image_size", common["img_size"]},
          {"patch_size", common["patch_size"]},
          {"num_channels", config.in_chans},
          {"embed_dim", config.embed_dim},
          {"depths", config.depths},
          {"num_heads", config.num_heads},
          {"window_size", config.window_size[0]},
          {"mlp_ratio", config.mlp_ratio},
          {"qkv_bias", config.qkv_bias},
          {"hidden_act", config.act_layer.huggingface_name()},
          {"layer_norm_eps", config.norm_layer.eps},
          {"use_absolute_embeddings", config.ape},
          {"hidden_dropout_prob", config.drop_rate},
          {"attention_probs_dropout_prob", config.attn_drop_rate},
          {"drop_path_rate", config.drop_path_rate}};
}

void adopt_window_rule(std::string_view dialect, Json& config) {
  if (config.value("window_rule", "dialect") == "dialect") config["window_rule"] = dialect;
}

// ---- costs --------------------------------------------------------------------------------------

namespace {

void add_swin_block(CostTable& table, const SwinConfig& c, const SwinCosts& page, int64_t stage,
                    const std::string& path) {
  const int64_t dim = c.dim(stage), hidden = c.mlp_hidden(stage);
  const auto windows = c.windows(stage);
  const auto map = c.map(stage), padded = windows.padded(map);
  const int64_t tokens = map[0] * map[1], cut = padded[0] * padded[1];
  const int64_t area = windows.window[0] * windows.window[1];
  table.norm(path + ".norm1", dim);
  table.add(path + ".attn", page.attn_params(stage), 2 * area * cut * dim,
            fmt::format("4hwC² + 2M²hwC, hw = {}, M² = {}, C = {}", cut, area, dim));
  table.linear(path + ".attn.qkv", cut, dim, 3 * dim, page.qkv_bias);
  table.linear(path + ".attn.proj", cut, dim, dim);
  table.norm(path + ".norm2", dim);
  table.linear(path + ".mlp.fc1", tokens, dim, hidden);
  table.linear(path + ".mlp.fc2", tokens, hidden, dim);
}

}  // namespace

std::vector<ModuleCost> swin_costs(const SwinConfig& c, const SwinCosts& page) {
  CostTable table;
  const auto first = c.map(0);
  if (c.ape) table.add("", c.num_patches() * c.embed_dim, 0);
  table.linear("patch_embed.proj", first[0] * first[1],
               c.in_chans * c.patch_size[0] * c.patch_size[1], c.embed_dim);
  if (c.patch_norm) table.norm("patch_embed.norm", c.embed_dim);
  for (int64_t stage = 0; stage < c.stages(); ++stage) {
    const auto path = fmt::format("layers.{}.", stage);
    for (int64_t i = 0; i < c.depth(stage); ++i)
      add_swin_block(table, c, page, stage, fmt::format("{}blocks.{}", path, i));
    if (stage + 1 == c.stages()) break;
    const int64_t dim = c.dim(stage);
    const auto next = c.map(stage + 1);
    table.linear(path + "downsample.reduction", next[0] * next[1], 4 * dim, 2 * dim, false);
    table.norm(path + "downsample.norm", page.merge_norm * dim);
  }
  table.norm("norm", c.num_features());
  if (c.num_classes > 0) table.linear("head", 1, c.num_features(), c.num_classes);
  return std::move(table).rows();
}

// ---- dialects -----------------------------------------------------------------------------------

namespace {

using checkpoint::Dialect;

/// Neither timm nor Hugging Face adds absolute positions or leaves the norm of the patches out, and
/// their windows may need other tables than this configuration's.
bool expressible(const SwinConfig& c, const char* rule) {
  if (c.ape || !c.patch_norm) return false;
  if (c.window_rule == "dialect") return true;  // it will be theirs
  auto theirs = c;
  theirs.window_rule = rule;
  try {
    for (int64_t i = 0; i < c.stages(); ++i)
      if (theirs.windows(i).window != c.windows(i).window) return false;
  } catch (const Error&) {
    return false;  // refused by one of the rules
  }
  return std::string_view(rule) != "huggingface" || c.window_size[0] == c.window_size[1];
}

/// Patch merging opens the next stage instead of closing its own, and the head has a module of its
/// own; feature maps are [B, H, W, C].
Dialect timm_dialect(const SwinConfig& c) {
  Dialect d;
  d.name = "timm";
  const auto merging = [](int64_t stage) { return fmt::format("layers.{}.downsample", stage); };
  d.evidence = {c.stages() > 1 ? merging(c.stages() - 1) + ".reduction.weight" : "head.fc.weight"};
  d.places = {{{"patch_embed"}, "patch_embed"}, {{"norm"}, "norm"}};
  for (int64_t i = 0; i < c.stages(); ++i) {
    d.places.push_back(
        {{fmt::format("layers.{}", i)}, fmt::format("layers.{}.blocks.{}", i, c.depth(i) - 1)});
    if (i + 1 == c.stages()) break;
    d.rules.push_back({{merging(i + 1) + ".reduction.{p}"}, merging(i) + ".reduction.{p}"});
    d.rules.push_back({{merging(i + 1) + ".norm.{p}"}, merging(i) + ".norm.{p}"});
  }
  d.rules.push_back({{"head.fc.{p}"}, "head.{p}"});
  return d;
}

Dialect huggingface_dialect(const SwinNames& names) {
  const auto at = [&](const std::string& name) { return names.prefix + "." + name; };
  const std::string block = "layers.{i}.blocks.{j}.", theirs = at("encoder." + block);
  const std::string merging = "layers.{i}.downsample.";
  Dialect d;
  d.name = "huggingface";
  d.total = true;
  d.evidence = {at("embeddings.patch_embeddings.projection.{p}"), theirs + "layernorm_before.{p}"};
  d.rules = {
      {{at("embeddings.patch_embeddings.projection.{p}")}, "patch_embed.proj.{p}"},
      {{at("embeddings.norm.{p}")}, "patch_embed.norm.{p}"},
      {{theirs + "layernorm_before.{p}"}, block + "norm1.{p}"},
      {{theirs + "attention.output.dense.{p}"}, block + "attn.proj.{p}"},
      {{theirs + "layernorm_after.{p}"}, block + "norm2.{p}"},
      {{theirs + "intermediate.dense.{p}"}, block + "mlp.fc1.{p}"},
      {{theirs + "output.dense.{p}"}, block + "mlp.fc2.{p}"},
      {{at("encoder." + merging + "reduction.{p}")}, merging + "reduction.{p}"},
      {{at("encoder." + merging + "norm.{p}")}, merging + "norm.{p}"},
      {{at("layernorm.{p}")}, "norm.{p}"},
      {{"classifier.{p}"}, "head.{p}"},
  };
  for (auto rule : names.attention) {
    for (auto& name : rule.theirs) name.insert(0, theirs + "attention.self.");
    rule.official = block + "attn." + rule.official;
    d.rules.push_back(std::move(rule));
  }
  for (const auto& name : names.hub_derived) d.derived.push_back(block + name);
  d.dropped = {at("embeddings.mask_token")};
  d.places = {
      {{at("embeddings")}, "pos_drop"},
      {{at("encoder.layers.{i}")}, "layers.{i}"},
      {{at("layernorm")}, "norm"},
  };
  return d;
}

}  // namespace

std::vector<Dialect> swin_dialects(const SwinConfig& config, const SwinNames& names) {
  Dialect official;
  official.name = "official";
  for (const auto& name : names.derived)
    official.derived.push_back("layers.{i}.blocks.{j}." + name);
  std::vector<Dialect> all{official};
  if (expressible(config, "timm")) all.push_back(timm_dialect(config));
  if (expressible(config, "huggingface")) all.push_back(huggingface_dialect(names));
  return all;
}

// ---- presets ------------------------------------------------------------------------------------

void set_swin_size(SwinConfig& config, const SwinSize& size, int64_t window_size,
                   int64_t img_size) {
  config.img_size.fill(img_size), config.window_size.fill(window_size);
  config.embed_dim = size.embed_dim, config.drop_path_rate = size.drop_path_rate;
  config.depths.assign(size.depths.begin(), size.depths.end());
  config.num_heads.assign(size.num_heads.begin(), size.num_heads.end());
}

namespace {

/// main.py --eval: shorter side to img * 256 / 224, centre crop; at 384 squashed (TEST.CROP off).
Pipeline official_pipeline(int64_t img_size) {
  auto pipeline = timm_pipeline(img_size, 1.0, 0, 0);
  if (img_size == 384) {
    pipeline.resize = ResizeRule::exact, pipeline.crop = CropRule::none;
    return pipeline;
  }
  pipeline.resize_height = pipeline.resize_width =
      static_cast<int64_t>(256.0 / 224.0 * static_cast<double>(img_size));
  return pipeline;
}

/// ViTImageProcessor as Microsoft's hub files set it: squashed bicubic, ImageNet statistics.
Pipeline hub_pipeline(int64_t img_size) {
  auto pipeline = timm_pipeline(img_size, 1.0, 0, 0);
  pipeline.resize = ResizeRule::exact, pipeline.crop = CropRule::none;
  pipeline.rescale_in_double = true;
  return pipeline;
}

}  // namespace

void add_swin_presets(System& system, const std::string& name, const Json& config,
                      const std::vector<SwinAlias>& aliases) {
  using From = SwinAlias::From;
  const auto img_size = config.at("img_size").get<int64_t>();
  Preset preset{name, system.name, {}, config, official_pipeline(img_size)};
  for (const auto& alias : aliases) {
    auto theirs = config;
    theirs["num_classes"] = alias.num_classes;
    auto pipeline = preset.pipeline;
    if (alias.from == From::timm) {
      theirs["window_rule"] = "timm";
      pipeline = timm_pipeline(img_size, img_size == 384 ? 1.0 : 0.9, 0, 0);
    } else if (alias.from == From::hub) {
      theirs["window_rule"] = "huggingface";
      theirs["drop_path_rate"] = 0.1;  // what the hub's files say, whatever the training had
      pipeline = hub_pipeline(img_size);
    }
    preset.aliases.push_back(alias.name);
    system.aliases.push_back({alias.name, system.name, {}, theirs, pipeline});
  }
  system.presets.push_back(std::move(preset));
}

}  // namespace saccade::models
