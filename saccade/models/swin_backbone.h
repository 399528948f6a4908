#pragma once
// The model around the blocks of swin and swinv2: what the two pages share with libtorch.

#include <memory>

#include "saccade/models/model.h"
#include "saccade/models/swin_family.h"
#include "saccade/nn/init.h"
#include "saccade/nn/mlp.h"
#include "saccade/nn/patch_embed.h"
#include "saccade/nn/patch_merging.h"
#include "saccade/nn/window.h"

namespace saccade::models {

/// Runs attention inside the windows of one block, for maps of any size that the rule takes.
class BlockWindows {
 public:
  /// Every second block is shifted.
  BlockWindows(StageWindows windows, int64_t block) : windows_(windows), shifted_(block % 2 == 1) {}

  /// x [B, H * W, C] -> [B, H * W, C]; `attention(windows [B * W, N, C], mask)` sees each window.
  template <class Attention>
  torch::Tensor operator()(const nn::Child<Attention>& attention, const torch::Tensor& x,
                           Pair map) {
    const auto cut = cut_for(map);
    const auto windows = nn::to_windows(x.unflatten(1, {map[0], map[1]}), cut);
    const auto mask = mask_.at(windows_.padded(map), x.device(),
                               [&](nn::Size padded) { return nn::shift_mask(padded, cut); });
    return nn::from_windows(attention(windows, mask), cut, map).flatten(1, 2);
  }
  /// The mask on a map of that size; undefined for a block without shift.
  [[nodiscard]] torch::Tensor mask_for(Pair map) const {
    return nn::shift_mask(windows_.padded(map), cut_for(map));
  }

 private:
  [[nodiscard]] nn::WindowCut cut_for(Pair map) const;

  StageWindows windows_;
  bool shifted_;
  nn::SizedConstant mask_;
};

/// MLP of every block of a stage.
[[nodiscard]] nn::MlpOptions swin_mlp(const SwinConfig& config, int64_t stage);
/// Stochastic depth of a block: rises over the blocks of all stages.
[[nodiscard]] double swin_drop_path(const SwinConfig& config, int64_t stage, int64_t block);

/// The parts of one block, under their checkpoint names; the pages differ in how data meets them.
template <class WindowAttention>
struct SwinBlockParts : nn::Module {
  template <class Config>
  SwinBlockParts(const Config& c, int64_t stage, int64_t index)
      : windows(c.windows(stage), index),
        norm1(this, "norm1", c.dim(stage), c.norm_layer.eps),
        attn(this, "attn", c, stage),
        drop_path1(this, "drop_path1", swin_drop_path(c, stage, index)),
        norm2(this, "norm2", c.dim(stage), c.norm_layer.eps),
        mlp(this, "mlp", swin_mlp(c, stage)),
        drop_path2(this, "drop_path2", swin_drop_path(c, stage, index)) {}

  BlockWindows windows;
  nn::Child<nn::LayerNorm> norm1;
  nn::Child<WindowAttention> attn;
  nn::Child<nn::DropPath> drop_path1;
  nn::Child<nn::LayerNorm> norm2;
  nn::Child<nn::Mlp> mlp;
  nn::Child<nn::DropPath> drop_path2;
};

/// Blocks, then patch merging in all stages but the last. Block has a constructor (config, stage,
/// index), forward(x, map), kNormFirst for the merging.
template <class Block, class Config>
struct SwinStage : nn::Module {
  SwinStage(const Config& c, int64_t stage)
      : rule(c.rule()),
        blocks(this, "blocks", c.depth(stage),
               [&](int64_t i) { return std::make_shared<Block>(c, stage, i); }),
        downsample(nn::when(stage + 1 < c.stages()), this, "downsample", c.dim(stage),
                   Block::kNormFirst, c.merge_eps()) {}

  /// [B, H * W, C] -> [B, H/2 * W/2, 2C]; `map` = [H, W] becomes the next stage's.
  torch::Tensor forward(torch::Tensor x, Pair& map) {
    for (const auto& block : blocks) x = block(x, map);
    if (!downsample) return x;
    const auto next = merged_map(rule, map);
    x = downsample(x.unflatten(1, {map[0], map[1]}));
    map = next;
    return x;
  }

  WindowRule rule;
  nn::Children<Block> blocks;
  nn::Child<nn::PatchMerging> downsample;
};

/// `state` fitted to `model` by "official" (utils.load_pretrained: tables and absolute positions
/// bicubic without antialias, a head of another class count zeroed) or "timm" (tables by its own
/// interpolation). Derived tensors are left out: they belong to the other windows.
[[nodiscard]] NamedTensors fit_swin_state(const NamedTensors& state, const Adaptation& how,
                                          const Model& model, const SwinConfig& config);
/// Why tables, masks or absolute positions of `state` are not the model's, and what to do; "" if
/// that is not it.
[[nodiscard]] std::string swin_misfit(const NamedTensors& state, const Model& model);
/// timm's layer groups: the stem is 0, the blocks of all stages count from 1, a merging goes with
/// the block behind it, the final norm with the last block, then comes the head.
[[nodiscard]] int64_t swin_layer_id(std::string_view parameter, const SwinConfig& config);
/// Full names of the parameters whose name contains one of `keywords`.
[[nodiscard]] std::vector<std::string> parameters_with(const torch::nn::Module& model,
                                                       std::span<const std::string_view> keywords);
/// `images` as the patch projection takes them (Hugging Face pads to whole patches). Throws Error
/// (bad_input) if it is no batch of pictures, or none of whole patches.
[[nodiscard]] torch::Tensor swin_pictures(const torch::Tensor& images, const SwinConfig& config);

/// The configuration with its window rule settled and checked.
template <class Config>
[[nodiscard]] Config settled(Config config) {
  if (config.window_rule == "dialect") config.window_rule = "official";
  config.validate("configuration");
  return config;
}

/// Patches, stages, mean over the tokens, head. Block as in SwinStage, with init_own() for what it
/// draws differently, derived() and kNoDecay.
template <class Block, class Config>
class SwinTransformer : public Model {
 public:
  explicit SwinTransformer(const Config& config) : c(settled(config)) {}

  Outputs forward(const Inputs& inputs) override {
    const auto images = swin_pictures(inputs["images"], c);
    Pair map{images.size(2) / c.patch_size[0], images.size(3) / c.patch_size[1]};
    auto x = patch_embed(images);  // [B, H * W, C]
    if (absolute_pos_embed.defined()) x = x + positions(map);
    x = pos_drop(x);
    for (const auto& stage : layers) x = stage(x, map);
    const auto features = norm(x).mean(1);                                          // [B, C]
    return {{"logits", head ? head(features) : features}, {"features", features}};  // [B, classes]
  }

  void init_weights() override {
    const torch::NoGradGuard no_grad;
    nn::init_transformer(*this);
    if (absolute_pos_embed.defined()) nn::trunc_normal_(absolute_pos_embed, 0.02);
    for (const auto& stage : layers)
      for (const auto& block : stage->blocks) block->init_own();
  }

  std::vector<std::string> no_weight_decay() const override {
    return parameters_with(*this, Block::kNoDecay);
  }
  int64_t layer_id(std::string_view name) const override { return swin_layer_id(name, c); }
  int64_t num_classes() const override { return c.num_classes; }

  std::vector<std::string> procedures() const override { return {"official", "timm"}; }
  NamedTensors adapt(const NamedTensors& state, const Adaptation& how) const override {
    return fit_swin_state(state, how, *this, c);
  }

  std::string misfit(const NamedTensors& state) const override { return swin_misfit(state, *this); }

  std::vector<DerivedTensor> derived() const override {
    std::vector<DerivedTensor> all;
    for (int64_t s = 0; s < c.stages(); ++s)
      for (int64_t i = 0; i < c.depth(s); ++i)
        Block::add_derived(all, c, s, i, fmt::format("layers.{}.blocks.{}.", s, i));
    return all;
  }

 private:
  const torch::Tensor& positions(Pair map) const {
    if (map != c.grid())
      throw Error(ErrorKind::bad_input,
                  fmt::format("images: absolute positions are made for {}x{} patches, these have "
                              "{}x{}; `saccade convert IN OUT --img-size HxW` resizes them",
                              c.grid()[0], c.grid()[1], map[0], map[1]));
    return absolute_pos_embed;
  }

  Config c;
  torch::Tensor absolute_pos_embed =
      nn::parameter(this, "absolute_pos_embed", {1, c.num_patches(), c.embed_dim}, c.ape);
  nn::Child<nn::PatchEmbed> patch_embed{this,
                                        "patch_embed",
                                        c.in_chans,
                                        c.embed_dim,
                                        c.patch_size,
                                        true,
                                        c.patch_norm ? std::optional(c.merge_eps()) : std::nullopt};
  nn::Child<nn::Dropout> pos_drop{this, "pos_drop", c.drop_rate};
  nn::Children<SwinStage<Block, Config>> layers{
      this, "layers", c.stages(),
      [this](int64_t stage) { return std::make_shared<SwinStage<Block, Config>>(c, stage); }};
  nn::Child<nn::LayerNorm> norm{this, "norm", c.num_features(), c.norm_layer.eps};
  nn::Child<nn::Linear> head{nn::when(c.num_classes > 0), this, "head", c.num_features(),
                             c.num_classes};
};

/// Adds "<prefix>attn_mask" if the block is shifted on the configured image.
void add_mask(std::vector<DerivedTensor>& all, const SwinConfig& config, int64_t stage,
              int64_t block, const std::string& prefix);
/// Adds "<prefix>attn.relative_position_index".
void add_index(std::vector<DerivedTensor>& all, const SwinConfig& config, int64_t stage,
               const std::string& prefix);

}  // namespace saccade::models
