#include "saccade/nn/attention.h"

namespace saccade::nn {
namespace {

/// Bias and mask as one term that broadcasts to [B, heads, N, N]; undefined without either.
Tensor added_scores(const Scores& scores, int64_t batch) {
  if (!scores.mask.defined()) return scores.bias;
  const auto windows = scores.mask.unsqueeze(1);  // [W, 1, N, N]
  const auto term = scores.bias.defined() ? scores.bias + windows : windows;
  const int64_t groups = batch / windows.size(0);
  return groups == 1 ? term : term.repeat({groups, 1, 1, 1});  // [B, heads or 1, N, N]
}

}  // namespace

Heads split_heads(const Tensor& q_k_v, int64_t num_heads) {
  const auto split = q_k_v  // [B, N, 3C]
                         .unflatten(-1, {3, num_heads, q_k_v.size(-1) / (3 * num_heads)})
                         .permute({2, 0, 3, 1, 4});  // [3, B, H, N, C/H]
  return {split[0], split[1], split[2]};             // [B, H, N, C/H]
}

Tensor attend(const Heads& heads, const Scores& scores, const Child<Dropout>& attn_drop) {
  const auto& [q, k, v] = heads;
  const auto added = added_scores(scores, q.size(0));
  Tensor y;  // [B, H, N, C/H]
  // Backward through the fused form is several times slower on a CPU than through the plain one.
  if (observed(attn_drop.name()) || (attn_drop->is_training() && q.is_cpu())) {
    auto products = at::matmul(q * scores.scale, k.transpose(-2, -1));
    if (added.defined()) products = products + added;
    y = at::matmul(attn_drop(at::softmax(products, -1)), v);
  } else {
    std::optional<Tensor> term;
    if (added.defined()) term = added;
    y = at::scaled_dot_product_attention(
        q, k, v, term, attn_drop->is_training() ? attn_drop->p : 0.0, false, scores.scale);
  }
  return y.transpose(1, 2).flatten(2);  // [B, N, C]
}

Attention::Attention(AttentionOptions attention) : options(attention) {}

Tensor Attention::forward(const Tensor& x) {
  const auto heads = split_heads(qkv(x), options.num_heads);
  const double scale = 1.0 / std::sqrt(static_cast<double>(heads.q.size(-1)));
  return proj_drop(proj(attend(heads, {.scale = scale}, attn_drop)));  // [B, N, C]
}

}  // namespace saccade::nn
