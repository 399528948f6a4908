#include "saccade/models/swinv2.h"

#include <cmath>

#include "saccade/models/swin_backbone.h"
#include "saccade/nn/attention.h"
#include "saccade/nn/host.h"

namespace saccade::models::swinv2 {
namespace {

using nn::Child, nn::parameter, torch::Tensor;

/// Cosine attention inside windows; a small network computes the bias from log-spaced offsets.
struct WindowAttention : nn::Module {
  WindowAttention(const Config& c, int64_t stage)
      : window(c.windows(stage).window),
        pretrained(c.pretrained_window(stage)),
        dim(c.dim(stage)),
        num_heads(c.heads(stage)),
        logit_scale(parameter(this, "logit_scale", {num_heads, 1, 1})),
        q_bias(parameter(this, "q_bias", {dim}, c.qkv_bias)),
        v_bias(parameter(this, "v_bias", {dim}, c.qkv_bias)),
        cpb_in(this, "cpb_mlp.0", 2, kBiasHidden),
        cpb_out(this, "cpb_mlp.2", kBiasHidden, num_heads, false),
        qkv(this, "qkv", dim, 3 * dim, false),
        attn_drop(this, "attn_drop", c.attn_drop_rate),
        proj(this, "proj", dim, dim),
        proj_drop(this, "proj_drop", c.drop_rate) {}

  /// [B * windows, N, C] -> the same; mask [windows, N, N] or undefined.
  Tensor forward(const Tensor& x, const Tensor& mask) {
    auto heads = nn::split_heads(with_bias(qkv(x)), num_heads);
    const auto scale = logit_scale.clamp_max(std::log(100.0)).exp();  // [heads, 1, 1]
    heads.q = unit_length(heads.q) * scale;
    heads.k = unit_length(heads.k);
    return proj_drop(proj(nn::attend(heads, {1.0, position_bias(), mask}, attn_drop)));
  }

  /// The key has no bias.
  Tensor with_bias(const Tensor& q_k_v) const {
    if (!q_bias.defined()) return q_k_v;
    return q_k_v + at::cat({q_bias, at::zeros_like(q_bias), v_bias});
  }
  static Tensor unit_length(const Tensor& x) {
    return x / x.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
  }
  /// [1, heads, N, N]
  Tensor position_bias() {
    const auto device = logit_scale.device();
    const auto& offsets = coordinates.at(
        window, device, [&](nn::Size size) { return nn::log_coordinates(size, pretrained); });
    const auto table = cpb_out(at::relu(cpb_in(offsets.flatten(0, 2))));  // [offsets, heads]
    const auto& pairs = index.at(window, device, nn::relative_position_index);
    return 16.0 * at::sigmoid(nn::gather_bias(table, pairs));
  }

  Pair window;
  int64_t pretrained, dim, num_heads;
  nn::SizedConstant coordinates, index;
  Tensor logit_scale, q_bias, v_bias;
  Child<nn::Linear> cpb_in, cpb_out, qkv;
  Child<nn::Dropout> attn_drop;
  Child<nn::Linear> proj;
  Child<nn::Dropout> proj_drop;
};

/// x + norm1(attn x) inside windows, then x + norm2(mlp x).
struct Block : SwinBlockParts<WindowAttention> {
  using SwinBlockParts::SwinBlockParts;
  static constexpr bool kNormFirst = false;
  static constexpr std::array<std::string_view, 3> kNoDecay{"absolute_pos_embed", "cpb_mlp",
                                                            "logit_scale"};

  Tensor forward(Tensor x, Pair map) {  // [B, H * W, C]
    x = x + drop_path1(norm1(windows(attn, x, map)));
    return x + drop_path2(norm2(mlp(x)));
  }

  /// Norms of 0: every block starts as the identity.
  void init_own() {
    for (auto* norm : {&*norm1, &*norm2}) norm->weight.zero_(), norm->bias.zero_();
    attn->logit_scale.fill_(std::log(10.0));
    if (attn->q_bias.defined()) attn->q_bias.zero_(), attn->v_bias.zero_();
  }

  static void add_derived(std::vector<DerivedTensor>& all, const Config& c, int64_t stage,
                          int64_t index, const std::string& prefix) {
    add_mask(all, c, stage, index, prefix);
    const auto window = c.windows(stage).window;
    const int64_t pretrained = c.pretrained_window(stage);
    all.push_back({prefix + "attn.relative_coords_table",
                   {1, 2 * window[0] - 1, 2 * window[1] - 1, 2},
                   [=] { return nn::to_host(nn::log_coordinates(window, pretrained)); }});
    add_index(all, c, stage, prefix);
  }
};

}  // namespace

std::shared_ptr<Model> make(const Json& config) {
  return std::make_shared<SwinTransformer<Block, Config>>(
      read_config<Config>(config, "configuration"));
}

}  // namespace saccade::models::swinv2
