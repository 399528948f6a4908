#include "saccade/models/deit.h"

#include "saccade/models/page.h"
#include "saccade/models/plain_vit_state.h"
#include "saccade/nn/init.h"
#include "saccade/nn/patch_embed.h"
#include "saccade/nn/transformer_block.h"

namespace saccade::models::deit {
namespace {

using nn::Child, nn::Children, nn::parameter, nn::when, torch::Tensor;

/// Both classes of the reference: the distilled one has a second token and a second head.
class VisionTransformer : public PlainVitModel {
 public:
  explicit VisionTransformer(const Config& config)
      : PlainVitModel(config, config.prefix_tokens()), c(config) {}

  /// Evaluation: "logits" is the mean of both heads. The heads of a distilled model are also given
  /// apart, as "logits_cls" and "logits_dist", which is what the distillation loss takes.
  Outputs forward(const Inputs& inputs) override {
    check_image_size(inputs["images"], c.img_size);
    auto x = torch::cat(tokens(inputs["images"]), 1);  // [B, prefix + P, C]
    nn::tap("pos_embed", pos_embed);
    x = pos_drop(x + pos_embed);
    for (const auto& block : blocks) x = block(x);
    x = norm(x);
    const auto features = x.select(1, 0);          // [B, C]
    const auto logits = classify(head, features);  // [B, classes]
    if (!c.distilled) return {{"logits", logits}, {"features", features}};
    const auto features_dist = x.select(1, 1);                    // [B, C]
    const auto logits_dist = classify(head_dist, features_dist);  // [B, classes]
    return {{"logits", (logits + logits_dist) / 2},
            {"logits_cls", logits},
            {"logits_dist", logits_dist},
            {"features", features},
            {"features_dist", features_dist}};
  }

  void init_weights() override {
    const torch::NoGradGuard no_grad;
    nn::init_transformer(*this);
    nn::trunc_normal_(pos_embed, 0.02);
    cls_token.normal_(0.0, 1e-6);
    if (dist_token.defined()) nn::trunc_normal_(dist_token, 0.02);
  }

  std::vector<std::string> no_weight_decay() const override {
    return {"pos_embed", "cls_token", "dist_token"};
  }

 private:
  /// Class token, distillation token, patches; each [B, n, C].
  std::vector<Tensor> tokens(const Tensor& images) {
    const auto expand = [&](const Tensor& token) { return token.expand({images.size(0), -1, -1}); };
    if (!c.distilled) return {expand(cls_token), patch_embed(images)};
    return {expand(cls_token), expand(dist_token), patch_embed(images)};
  }
  Tensor classify(const Child<nn::Linear>& with, const Tensor& features) {
    const auto dropped = head_drop(features);
    return with ? with(dropped) : dropped;
  }

  Config c;
  Tensor cls_token = parameter(this, "cls_token", {1, 1, c.embed_dim});
  Tensor pos_embed =
      parameter(this, "pos_embed", {1, c.prefix_tokens() + c.num_patches(), c.embed_dim});
  Tensor dist_token = parameter(this, "dist_token", {1, 1, c.embed_dim}, c.distilled);
  Child<nn::PatchEmbed> patch_embed{this, "patch_embed", c.in_chans, c.embed_dim, c.patch_size};
  Child<nn::Dropout> pos_drop{this, "pos_drop", c.pos_drop_rate};
  Children<nn::Block> blocks{this, "blocks", c.depth, [this](int64_t i) {
                               return std::make_shared<nn::Block>(nn::block_options(c, i));
                             }};
  Child<nn::LayerNorm> norm{this, "norm", c.embed_dim, c.norm_layer.eps};
  Child<nn::Dropout> head_drop{this, "head_drop", c.drop_rate};
  Child<nn::Linear> head{when(c.num_classes > 0), this, "head", c.embed_dim, c.num_classes};
  Child<nn::Linear> head_dist{when(c.distilled && c.num_classes > 0), this, "head_dist",
                              c.embed_dim, c.num_classes};
};

}  // namespace

std::shared_ptr<Model> make(const Json& config) {
  return std::make_shared<VisionTransformer>(read_config<Config>(config, "configuration"));
}

}  // namespace saccade::models::deit
