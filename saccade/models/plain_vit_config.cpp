#include "saccade/models/plain_vit.h"

#include <cmath>

namespace saccade::models {

void PlainVitConfig::validate(std::string_view where) const {
  for (const int64_t side : img_size) check_range(where, "img_size", side, 1, 65536);
  for (const size_t i : {0u, 1u}) check_range(where, "patch_size", patch_size[i], 1, img_size[i]);
  check_range(where, "in_chans", in_chans, 1, 1024);
  check_range(where, "num_classes", num_classes, 0, 10'000'000);
  check_range(where, "embed_dim", embed_dim, 1, 65536);
  check_range(where, "depth", depth, 1, 1024);
  check_range(where, "num_heads", num_heads, 1, embed_dim);
  if (embed_dim % num_heads != 0)
    throw input_error(where, "\"embed_dim\" {} is not a multiple of \"num_heads\" {}", embed_dim,
                      num_heads);
  if (!(mlp_ratio > 0.0 && mlp_ratio <= 64.0) || mlp_hidden() < 1)
    throw input_error(where, "\"mlp_ratio\" must lie in (0, 64], is {}", mlp_ratio);
  if (!(norm_layer.eps >= 0.0 && norm_layer.eps < 1.0))
    throw input_error(where, "the eps of \"norm_layer\" must lie in [0, 1), is {}", norm_layer.eps);
  check_range(where, "number of patches", num_patches(), 1, 1 << 20);
  check_rate(where, "drop_rate", drop_rate);
  check_rate(where, "pos_drop_rate", pos_drop_rate);
  check_rate(where, "proj_drop_rate", proj_drop_rate);
  check_rate(where, "attn_drop_rate", attn_drop_rate);
  check_rate(where, "drop_path_rate", drop_path_rate);
}

namespace {

/// Rows of one block, itself first.
void add_block(std::vector<ModuleCost>& rows, const PlainVitConfig& c, const std::string& path,
               int64_t tokens) {
  const int64_t dim = c.embed_dim, hidden = c.mlp_hidden();
  const auto linear = [&](const std::string& name, int64_t in, int64_t out, bool bias) {
    return ModuleCost{path + name, in * out + (bias ? out : 0), tokens * in * out, ""};
  };
  const ModuleCost norm1{path + ".norm1", 2 * dim, 0, ""}, norm2{path + ".norm2", 2 * dim, 0, ""};
  const auto qkv = linear(".attn.qkv", dim, 3 * dim, c.qkv_bias);
  const auto proj = linear(".attn.proj", dim, dim, true);
  const auto fc1 = linear(".mlp.fc1", dim, hidden, true);
  const auto fc2 = linear(".mlp.fc2", hidden, dim, true);
  const ModuleCost attn{path + ".attn", qkv.params + proj.params,
                        qkv.macs + proj.macs + 2 * tokens * tokens * dim,
                        fmt::format("4hwC² + 2(hw)²C, hw = {}, C = {}", tokens, dim)};
  const ModuleCost mlp{path + ".mlp", fc1.params + fc2.params, fc1.macs + fc2.macs, ""};
  rows.push_back(
      {path, norm1.params + attn.params + norm2.params + mlp.params, attn.macs + mlp.macs, ""});
  rows.insert(rows.end(), {norm1, attn, qkv, proj, norm2, mlp, fc1, fc2});
}

}  // namespace

std::vector<ModuleCost> plain_vit_costs(const PlainVitConfig& c, const PlainVitCosts& shape) {
  const int64_t patch = c.in_chans * c.patch_size[0] * c.patch_size[1];
  std::vector<ModuleCost> rows{{"", 0, 0, ""}};
  ModuleCost total{"", shape.loose_params, 0, ""};
  const auto add = [&](const ModuleCost& row) {
    total.params += row.params, total.macs += row.macs;
    rows.push_back(row);
  };
  if (shape.stem.empty())
    add({"patch_embed", patch * c.embed_dim + (shape.patch_bias ? c.embed_dim : 0),
         c.num_patches() * patch * c.embed_dim, ""});
  for (const auto& row : shape.stem) {
    if (row.path.find('.') == std::string::npos)
      add(row);
    else
      rows.push_back(row);
  }
  for (int64_t i = 0; i < c.depth; ++i) {
    const auto at = rows.size();
    add_block(rows, c, fmt::format("blocks.{}", i), shape.prefix_tokens + c.num_patches());
    total.params += rows[at].params, total.macs += rows[at].macs;
  }
  for (const auto& norm : shape.norms) add({norm, 2 * c.embed_dim, 0, ""});
  if (c.num_classes > 0)
    for (const auto& head : shape.heads)
      add({head, (c.embed_dim + 1) * c.num_classes, c.embed_dim * c.num_classes, ""});
  rows[0] = total;
  return rows;
}

void read_huggingface_vit(PlainVitConfig& config, const Json& json, std::string_view where) {
  ConfigReader read(json, where);
  int64_t intermediate_size = 3072;
  double hidden_dropout = 0.0;
  config.norm_layer.eps = 1e-12;  // ViTConfig's default
  read("image_size", config.img_size), read("patch_size", config.patch_size);
  read("num_channels", config.in_chans), read("hidden_size", config.embed_dim);
  read("num_hidden_layers", config.depth), read("num_attention_heads", config.num_heads);
  read("intermediate_size", intermediate_size), read("hidden_act", config.act_layer);
  read("layer_norm_eps", config.norm_layer.eps), read("qkv_bias", config.qkv_bias);
  read("hidden_dropout_prob", hidden_dropout);
  read("attention_probs_dropout_prob", config.attn_drop_rate);
  config.pos_drop_rate = config.proj_drop_rate = hidden_dropout;
  config.num_classes = 2;  // PretrainedConfig's default
  if (json.contains("id2label")) config.num_classes = std::ssize(huggingface_labels(json, where));
  read("num_labels", config.num_classes);
  read.finish({}, ConfigReader::Unknown::ignore);

  check_range(where, "hidden_size", config.embed_dim, 1, 65536);
  check_range(where, "intermediate_size", intermediate_size, 1, 64 * config.embed_dim);
  const auto dim = static_cast<double>(config.embed_dim);
  config.mlp_ratio = static_cast<double>(intermediate_size) / dim;
  if (config.mlp_hidden() != intermediate_size)  // the quotient was rounded down
    config.mlp_ratio = std::nextafter(config.mlp_ratio, 65.0);
}

checkpoint::Dialect huggingface_vit_dialect(const std::string& prefix) {
  const auto at = [&](const std::string& name) { return prefix + "." + name; };
  const std::string theirs = at("encoder.layer.{i}.");
  const std::string self = theirs + "attention.attention.";
  checkpoint::Dialect dialect;
  dialect.name = "huggingface";
  dialect.evidence = {at("embeddings.cls_token"), theirs + "layernorm_before.{p}"};
  dialect.rules = {
      {{at("embeddings.cls_token")}, "cls_token"},
      {{at("embeddings.position_embeddings")}, "pos_embed"},
      {{at("embeddings.patch_embeddings.projection.{p}")}, "patch_embed.proj.{p}"},
      {{self + "query.{p}", self + "key.{p}", self + "value.{p}"}, "blocks.{i}.attn.qkv.{p}"},
      {{theirs + "attention.output.dense.{p}"}, "blocks.{i}.attn.proj.{p}"},
      {{theirs + "layernorm_before.{p}"}, "blocks.{i}.norm1.{p}"},
      {{theirs + "layernorm_after.{p}"}, "blocks.{i}.norm2.{p}"},
      {{theirs + "intermediate.dense.{p}"}, "blocks.{i}.mlp.fc1.{p}"},
      {{theirs + "output.dense.{p}"}, "blocks.{i}.mlp.fc2.{p}"},
      {{at("layernorm.{p}")}, "norm.{p}"},
  };
  dialect.dropped = {at("pooler.dense.{p}"), at("embeddings.mask_token")};
  dialect.places = {
      {{at("embeddings")}, "pos_drop"},
      {{at("encoder.layer.{i}")}, "blocks.{i}"},
      {{at("layernorm")}, "norm"},
  };
  return dialect;
}

Pipeline timm_pipeline(int64_t img_size, double crop_pct, double mean, double std) {
  Pipeline pipeline;
  pipeline.resize_height = pipeline.resize_width =
      static_cast<int64_t>(std::floor(static_cast<double>(img_size) / crop_pct));
  pipeline.crop_height = pipeline.crop_width = img_size;
  if (mean > 0.0) pipeline.mean.fill(mean), pipeline.std.fill(std);
  return pipeline;
}

Pipeline huggingface_pipeline(int64_t img_size) {
  Pipeline pipeline;
  pipeline.resize = ResizeRule::exact;
  pipeline.resize_height = pipeline.resize_width = img_size;
  pipeline.crop_height = pipeline.crop_width = img_size;
  pipeline.interpolation = Interpolation::bilinear;
  pipeline.crop = CropRule::none;
  pipeline.rescale_in_double = true;
  pipeline.mean.fill(0.5), pipeline.std.fill(0.5);
  return pipeline;
}

}  // namespace saccade::models
