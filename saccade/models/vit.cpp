#include "saccade/models/vit.h"

#include "saccade/models/page.h"
#include "saccade/models/plain_vit_state.h"
#include "saccade/nn/conv_stem.h"
#include "saccade/nn/init.h"
#include "saccade/nn/patch_embed.h"
#include "saccade/nn/transformer_block.h"

namespace saccade::models::vit {
namespace {

using nn::Child, nn::Children, nn::parameter, nn::when, torch::Tensor;

std::vector<nn::StemLayer> stem_layers(const Config& c) {
  std::vector<nn::StemLayer> layers;
  if (c.stem == "conv")
    for (const auto& layer : c.stem_layers()) layers.push_back({layer.channels, layer.stride});
  return layers;
}

class VisionTransformer : public PlainVitModel {
 public:
  explicit VisionTransformer(const Config& config)
      : PlainVitModel(config, config.prefix_tokens()), c(config) {}

  Outputs forward(const Inputs& inputs) override {
    auto x = embed(inputs["images"]);  // [B, P, C]
    if (cls_token.defined())
      x = torch::cat({cls_token.expand({x.size(0), -1, -1}), x}, 1);  // [B, 1 + P, C]
    nn::tap("pos_embed", pos_embed);
    x = pos_drop(x + pos_embed);
    if (norm_pre) x = norm_pre(x);
    for (const auto& block : blocks) x = block(x);
    if (norm) x = norm(x);
    const auto features = pool(x);  // [B, C]
    const auto dropped = head_drop(features);
    return {{"logits", head ? head(dropped) : dropped}, {"features", features}};  // [B, classes]
  }

  void init_weights() override {
    const torch::NoGradGuard no_grad;
    nn::init_transformer(*this);
    nn::trunc_normal_(pos_embed, 0.02);
    if (cls_token.defined()) cls_token.normal_(0.0, 1e-6);
  }

  std::vector<std::string> no_weight_decay() const override { return {"pos_embed", "cls_token"}; }

 private:
  Tensor embed(const Tensor& images) {  // [B, 3, H, W]
    check_image_size(images, c.img_size);
    return conv_stem ? conv_stem(images) : patch_embed(images);  // [B, P, C]
  }
  Tensor pool(const Tensor& x) {          // [B, prefix + P, C]
    if (!fc_norm) return x.select(1, 0);  // [B, C]
    return fc_norm(x.slice(1, c.prefix_tokens()).mean(1));
  }

  Config c;
  bool avg = c.global_pool == "avg";
  Tensor cls_token = parameter(this, "cls_token", {1, 1, c.embed_dim}, c.class_token);
  Tensor pos_embed =
      parameter(this, "pos_embed", {1, c.prefix_tokens() + c.num_patches(), c.embed_dim});
  Child<nn::PatchEmbed> patch_embed{when(c.stem == "patch"),
                                    this,
                                    "patch_embed",
                                    c.in_chans,
                                    c.embed_dim,
                                    c.patch_size,
                                    !c.pre_norm};
  Child<nn::ConvStem> conv_stem{when(c.stem == "conv"), this,       "patch_embed", c.in_chans,
                                stem_layers(c),         c.embed_dim};
  Child<nn::Dropout> pos_drop{this, "pos_drop", c.pos_drop_rate};
  Child<nn::LayerNorm> norm_pre{when(c.pre_norm), this, "norm_pre", c.embed_dim, c.norm_layer.eps};
  Children<nn::Block> blocks{this, "blocks", c.depth, [this](int64_t i) {
                               return std::make_shared<nn::Block>(nn::block_options(c, i));
                             }};
  Child<nn::LayerNorm> norm{when(!avg), this, "norm", c.embed_dim, c.norm_layer.eps};
  Child<nn::LayerNorm> fc_norm{when(avg), this, "fc_norm", c.embed_dim, c.norm_layer.eps};
  Child<nn::Dropout> head_drop{this, "head_drop", c.drop_rate};
  Child<nn::Linear> head{when(c.num_classes > 0), this, "head", c.embed_dim, c.num_classes};
};

}  // namespace

std::shared_ptr<Model> make(const Json& config) {
  return std::make_shared<VisionTransformer>(read_config<Config>(config, "configuration"));
}

}  // namespace saccade::models::vit
