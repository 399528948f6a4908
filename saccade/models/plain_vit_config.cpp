#include "saccade/models/plain_vit.h"

#include <cmath>

namespace saccade::models {

void PlainVitConfig::validate(std::string_view where) const {
  check_patches(where, img_size, patch_size, in_chans);
  check_range(where, "num_classes", num_classes, 0, kMaxClasses);
  check_range(where, "embed_dim", embed_dim, 1, kMaxWidth);
  check_range(where, "depth", depth, 1, kMaxDepth);
  check_range(where, "num_heads", num_heads, 1, embed_dim);
  if (embed_dim % num_heads != 0)
    throw input_error(where, "\"embed_dim\" {} is not a multiple of \"num_heads\" {}", embed_dim,
                      num_heads);
  check_mlp_ratio(where, mlp_ratio, embed_dim);
  check_eps(where, norm_layer);
  check_rate(where, "drop_rate", drop_rate);
  check_rate(where, "pos_drop_rate", pos_drop_rate);
  check_rate(where, "proj_drop_rate", proj_drop_rate);
  check_rate(where, "attn_drop_rate", attn_drop_rate);
  check_rate(where, "drop_path_rate", drop_path_rate);
}

namespace {

void add_block(CostTable& table, const PlainVitConfig& c, const std::string& path, int64_t tokens) {
  const int64_t dim = c.embed_dim, hidden = c.mlp_hidden();
  table.norm(path + ".norm1", dim);
  table.add(path + ".attn", 0, 2 * tokens * tokens * dim,
            fmt::format("4hwC² + 2(hw)²C, hw = {}, C = {}", tokens, dim));
  table.linear(path + ".attn.qkv", tokens, dim, 3 * dim, c.qkv_bias);
  table.linear(path + ".attn.proj", tokens, dim, dim);
  table.norm(path + ".norm2", dim);
  table.linear(path + ".mlp.fc1", tokens, dim, hidden);
  table.linear(path + ".mlp.fc2", tokens, hidden, dim);
}

}  // namespace

std::vector<ModuleCost> plain_vit_costs(const PlainVitConfig& c, const PlainVitCosts& shape) {
  CostTable table;
  table.add("", shape.loose_params, 0);
  if (shape.stem)
    shape.stem(table);
  else
    table.linear("patch_embed.proj", c.num_patches(),
                 c.in_chans * c.patch_size[0] * c.patch_size[1], c.embed_dim, shape.patch_bias);
  for (int64_t i = 0; i < c.depth; ++i)
    add_block(table, c, fmt::format("blocks.{}", i), shape.prefix_tokens + c.num_patches());
  for (const auto& norm : shape.norms) table.norm(norm, c.embed_dim);
  if (c.num_classes > 0)
    for (const auto& head : shape.heads) table.linear(head, 1, c.embed_dim, c.num_classes);
  return std::move(table).rows();
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

  check_range(where, "hidden_size", config.embed_dim, 1, kMaxWidth);
  check_range(where, "intermediate_size", intermediate_size, 1, kMaxMlpRatio * config.embed_dim);
  const auto dim = static_cast<double>(config.embed_dim);
  config.mlp_ratio = static_cast<double>(intermediate_size) / dim;
  if (config.mlp_hidden() != intermediate_size)  // the quotient was rounded down
    config.mlp_ratio = std::nextafter(config.mlp_ratio, kMaxMlpRatio + 1.0);
}

Json write_huggingface_vit(const PlainVitConfig& config, const std::string& architecture,
                           const std::string& model_type) {
  const Json common = to_json(config);
  return {{"architectures", Json::array({architecture})},
          {"model_type", model_type},
          {"image_size", common["img_size"]},
          {"patch_size", common["patch_size"]},
          {"num_channels", config.in_chans},
          {"hidden_size", config.embed_dim},
          {"num_hidden_layers", config.depth},
          {"num_attention_heads", config.num_heads},
          {"intermediate_size", config.mlp_hidden()},
          {"hidden_act", config.act_layer.huggingface_name()},
          {"layer_norm_eps", config.norm_layer.eps},
          {"qkv_bias", config.qkv_bias},
          {"hidden_dropout_prob", config.proj_drop_rate},
          {"attention_probs_dropout_prob", config.attn_drop_rate}};
}

checkpoint::Dialect huggingface_vit_dialect(const std::string& prefix) {
  const auto at = [&](const std::string& name) { return prefix + "." + name; };
  const std::string theirs = at("encoder.layer.{i}.");
  const std::string self = theirs + "attention.attention.";
  checkpoint::Dialect dialect;
  dialect.name = "huggingface";
  dialect.total = true;
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
