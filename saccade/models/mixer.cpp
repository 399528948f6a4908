#include "saccade/models/mixer.h"

#include <cmath>

#include "saccade/models/page.h"
#include "saccade/nn/init.h"
#include "saccade/nn/mlp.h"
#include "saccade/nn/patch_embed.h"

namespace saccade::models::mixer {
namespace {

using nn::Child, nn::Children, nn::when, torch::Tensor;

/// Mixes tokens, channel by channel, then channels, token by token.
struct MixerBlock : nn::Module {
  explicit MixerBlock(const Config& config) : c(config) {}
  Tensor forward(Tensor x) {                                   // [B, P, C]
    const auto across = mlp_tokens(norm1(x).transpose(1, 2));  // [B, C, P]
    x = x + drop_path(across.transpose(1, 2));                 // [B, P, C]
    return x + drop_path(mlp_channels(norm2(x)));
  }

  Config c;
  nn::MlpOptions mlp(int64_t dim, int64_t hidden) const {
    return {.dim = dim, .hidden = hidden, .act = c.act_layer.name, .drop = c.proj_drop_rate};
  }
  Child<nn::LayerNorm> norm1{this, "norm1", c.embed_dim, c.norm_layer.eps};
  Child<nn::Mlp> mlp_tokens{this, "mlp_tokens", mlp(c.num_patches(), c.tokens_hidden())};
  Child<nn::DropPath> drop_path{this, "drop_path", c.drop_path_rate};
  Child<nn::LayerNorm> norm2{this, "norm2", c.embed_dim, c.norm_layer.eps};
  Child<nn::Mlp> mlp_channels{this, "mlp_channels", mlp(c.embed_dim, c.channels_hidden())};
};

class MlpMixer : public Model {
 public:
  explicit MlpMixer(const Config& config) : c(config) {}

  Outputs forward(const Inputs& inputs) override {
    check_image_size(inputs["images"], c.img_size);
    auto x = stem(inputs["images"]);  // [B, P, C]
    for (const auto& block : blocks) x = block(x);
    x = norm(x);
    const auto features = c.global_pool == "avg" ? x.mean(1) : x;  // [B, C]
    const auto dropped = head_drop(features);
    return {{"logits", head ? head(dropped) : dropped}, {"features", features}};  // [B, classes]
  }

  void init_weights() override {
    const torch::NoGradGuard no_grad;
    nn::init_layers(
        *this,
        [](nn::Linear& linear) {
          nn::xavier_uniform_(linear.weight);
          linear.bias.normal_(0.0, 1e-6);
        },
        [](nn::Conv2d& conv) {
          nn::lecun_normal_(conv.weight);
          conv.bias.zero_();
        });
    if (!head) return;
    head->weight.zero_();
    head->bias.fill_(c.nlhb ? -std::log(static_cast<double>(c.num_classes)) : 0.0);
  }

  int64_t layer_id(std::string_view name) const override {
    return block_layer_id(name, c.num_blocks);
  }
  /// Without pooling there is an answer for each token, but none for the picture.
  int64_t num_classes() const override { return c.global_pool == "avg" ? c.num_classes : 0; }

  NamedTensors adapt(const NamedTensors& state, const Adaptation&) const override {
    if (const auto advice = misfit(state); !advice.empty()) throw unsupported_error("{}", advice);
    return state;
  }

  std::string misfit(const NamedTensors& state) const override {
    const auto* fc1 = find(state, "blocks.0.mlp_tokens.fc1.weight");
    if (!fc1 || fc1->shape().size() != 2 || fc1->shape()[1] == c.num_patches()) return "";
    return fmt::format(
        "these are weights for {} tokens, this model has {} ({} x {} patches of {} x {} pixels): a "
        "Mixer's token MLPs belong to one picture size and cannot be resized; give the "
        "\"img_size\" that the weights were trained with",
        fc1->shape()[1], c.num_patches(), c.grid()[0], c.grid()[1], c.patch_size[0],
        c.patch_size[1]);
  }

 private:
  std::optional<double> stem_norm_eps() const {
    return c.stem_norm ? std::optional(c.norm_layer.eps) : std::nullopt;
  }

  Config c;
  Child<nn::PatchEmbed> stem{this,         "stem", c.in_chans,     c.embed_dim,
                             c.patch_size, true,   stem_norm_eps()};
  Children<MixerBlock> blocks{this, "blocks", c.num_blocks,
                              [this](int64_t) { return std::make_shared<MixerBlock>(c); }};
  Child<nn::LayerNorm> norm{this, "norm", c.embed_dim, c.norm_layer.eps};
  Child<nn::Dropout> head_drop{this, "head_drop", c.drop_rate};
  Child<nn::Linear> head{when(c.num_classes > 0), this, "head", c.embed_dim, c.num_classes};
};

}  // namespace

std::shared_ptr<Model> make(const Json& config) {
  return std::make_shared<MlpMixer>(read_config<Config>(config, "configuration"));
}

}  // namespace saccade::models::mixer
