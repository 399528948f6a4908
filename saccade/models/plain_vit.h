#pragma once
// What the pages of the isotropic vision transformers (vit, deit) share without libtorch: the
// constructor arguments, their costs and the rename rules of the foreign dialects.

#include <functional>
#include <string>
#include <vector>

#include "saccade/checkpoint/dialect.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/config.h"
#include "saccade/models/costs.h"

namespace saccade::models {

/// Constructor arguments of timm's VisionTransformer, at its defaults.
struct PlainVitConfig {
  Pair img_size{224, 224};  ///< pixels [height, width]
  Pair patch_size{16, 16};
  int64_t in_chans = 3;
  int64_t num_classes = 1000;  ///< 0: no head, the logits are the features
  int64_t embed_dim = 768;
  int64_t depth = 12;
  int64_t num_heads = 12;
  double mlp_ratio = 4.0;
  bool qkv_bias = true;
  double drop_rate = 0.0;       ///< before the head
  double pos_drop_rate = 0.0;   ///< after the position embedding
  double proj_drop_rate = 0.0;  ///< after attention's projection, and twice in the MLP
  double attn_drop_rate = 0.0;  ///< on the attention weights
  double drop_path_rate = 0.0;  ///< stochastic depth of the last block
  NormLayer norm_layer{1e-6};
  ActLayer act_layer;

  template <class Visit>
  void fields(Visit&& visit) {
    visit("img_size", img_size), visit("patch_size", patch_size), visit("in_chans", in_chans);
    visit("num_classes", num_classes), visit("embed_dim", embed_dim), visit("depth", depth);
    visit("num_heads", num_heads), visit("mlp_ratio", mlp_ratio), visit("qkv_bias", qkv_bias);
    visit("drop_rate", drop_rate), visit("pos_drop_rate", pos_drop_rate);
    visit("proj_drop_rate", proj_drop_rate), visit("attn_drop_rate", attn_drop_rate);
    visit("drop_path_rate", drop_path_rate);
    visit("norm_layer", norm_layer), visit("act_layer", act_layer);
  }
  /// Throws Error (bad_input) naming the field that cannot be.
  void validate(std::string_view where) const;

  [[nodiscard]] Pair grid() const { return patch_grid(img_size, patch_size); }
  [[nodiscard]] int64_t num_patches() const { return grid()[0] * grid()[1]; }
  [[nodiscard]] int64_t mlp_hidden() const { return models::mlp_hidden(embed_dim, mlp_ratio); }
};

/// Arguments of timm's constructor that are accepted at their default only.
inline constexpr FixedArgument kPlainVitFixed[] = {
    {"dynamic_img_pad", "false"}, {"dynamic_img_size", "false"}, {"embed_norm_layer", "null"},
    {"final_norm", "true"},       {"fix_init", "false"},         {"init_values", "null"},
    {"no_embed_class", "false"},  {"patch_drop_rate", "0.0"},    {"pool_include_prefix", "false"},
    {"pos_embed", "\"learn\""},   {"proj_bias", "true"},         {"qk_norm", "false"},
    {"reg_tokens", "0"},          {"scale_attn_norm", "false"},  {"scale_mlp_norm", "false"},
    {"weight_init", "\"\""},
};

/// What a page has around its blocks, for plain_vit_costs().
struct PlainVitCosts {
  int64_t prefix_tokens = 1;  ///< class and distillation tokens take part in attention
  int64_t loose_params = 0;   ///< tokens and the position embedding
  bool patch_bias = true;
  std::function<void(CostTable&)> stem;    ///< in the place of the patch projection
  std::vector<std::string> norms{"norm"};  ///< LayerNorms outside the blocks
  std::vector<std::string> heads{"head"};
};
/// Rows as System::costs gives them. Multiply-adds count projections, convolutions and the two
/// products of attention; norms, softmax, activations and biases count nothing.
[[nodiscard]] std::vector<ModuleCost> plain_vit_costs(const PlainVitConfig& config,
                                                      const PlainVitCosts& shape);

/// Reads Hugging Face's field names (ViTConfig, DeiTConfig) into `config`; unknown keys are
/// ignored, impossible values refused as in config.h.
void read_huggingface_vit(PlainVitConfig& config, const Json& json, std::string_view where);
/// The same fields from `config`, with the class and "model_type" of that hub.
[[nodiscard]] Json write_huggingface_vit(const PlainVitConfig& config,
                                         const std::string& architecture,
                                         const std::string& model_type);
/// Rules for encoder, embeddings and final norm below `prefix` ("vit" or "deit"), to which the page
/// adds its heads.
[[nodiscard]] checkpoint::Dialect huggingface_vit_dialect(const std::string& prefix);

/// A published variant of the family: size letters as the papers have them.
struct PlainVitSize {
  int64_t embed_dim, depth, num_heads;
};
inline constexpr PlainVitSize kTiny{192, 12, 3}, kSmall{384, 12, 6}, kBase{768, 12, 12},
    kLarge{1024, 24, 16};

/// ViTImageProcessor's defaults at that size: squashed bilinear, pixels to [-1, 1].
[[nodiscard]] Pipeline huggingface_pipeline(int64_t img_size);

}  // namespace saccade::models
