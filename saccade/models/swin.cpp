#include "saccade/models/swin.h"

#include "saccade/models/swin_backbone.h"
#include "saccade/nn/attention.h"

namespace saccade::models::swin {
namespace {

using nn::Child, nn::parameter, torch::Tensor;

/// Attention inside windows with a learned bias for every offset between two tokens.
struct WindowAttention : nn::Module {
  WindowAttention(const Config& c, int64_t stage)
      : window(c.windows(stage).window),
        dim(c.dim(stage)),
        num_heads(c.heads(stage)),
        scale(c.scale(stage)),
        relative_position_bias_table(
            parameter(this, "relative_position_bias_table", {c.offsets(stage), num_heads})),
        qkv(this, "qkv", dim, 3 * dim, c.qkv_bias),
        attn_drop(this, "attn_drop", c.attn_drop_rate),
        proj(this, "proj", dim, dim),
        proj_drop(this, "proj_drop", c.drop_rate) {}

  /// [B * windows, N, C] -> the same; mask [windows, N, N] or undefined.
  Tensor forward(const Tensor& x, const Tensor& mask) {
    const auto heads = nn::split_heads(qkv(x), num_heads);
    const auto& pairs = index.at(window, x.device(), nn::relative_position_index);
    const auto bias = nn::gather_bias(relative_position_bias_table, pairs);
    return proj_drop(proj(nn::attend(heads, {scale, bias, mask}, attn_drop)));
  }

  Pair window;
  int64_t dim, num_heads;
  double scale;
  nn::SizedConstant index;
  Tensor relative_position_bias_table;  // [offsets, heads]
  Child<nn::Linear> qkv;
  Child<nn::Dropout> attn_drop;
  Child<nn::Linear> proj;
  Child<nn::Dropout> proj_drop;
};

/// x + attn(norm1 x) inside windows, then x + mlp(norm2 x).
struct Block : SwinBlockParts<WindowAttention> {
  using SwinBlockParts::SwinBlockParts;
  static constexpr bool kNormFirst = true;
  static constexpr std::array<std::string_view, 2> kNoDecay{"absolute_pos_embed",
                                                            "relative_position_bias_table"};

  Tensor forward(Tensor x, Pair map) {  // [B, H * W, C]
    x = x + drop_path1(windows(attn, norm1(x), map));
    return x + drop_path2(mlp(norm2(x)));
  }

  void init_own() { nn::trunc_normal_(attn->relative_position_bias_table, 0.02); }

  static void add_derived(std::vector<DerivedTensor>& all, const Config& c, int64_t stage,
                          int64_t index, const std::string& prefix) {
    add_mask(all, c, stage, index, prefix);
    add_index(all, c, stage, prefix);
  }
};

}  // namespace

std::shared_ptr<Model> make(const Json& config) {
  return std::make_shared<SwinTransformer<Block, Config>>(
      read_config<Config>(config, "configuration"));
}

}  // namespace saccade::models::swin
