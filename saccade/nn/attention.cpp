#include "saccade/nn/attention.h"

namespace saccade::nn {

Attention::Attention(AttentionOptions attention) : options(attention) {}

Tensor Attention::forward(const Tensor& x) {
  const int64_t head_dim = options.dim / options.num_heads;
  const auto q_k_v = qkv(x)  // [B, N, 3C]
                         .unflatten(-1, {3, options.num_heads, head_dim})
                         .permute({2, 0, 3, 1, 4});     // [3, B, H, N, C/H]
  const auto q = q_k_v[0], k = q_k_v[1], v = q_k_v[2];  // [B, H, N, C/H]
  Tensor y;                                             // [B, H, N, C/H]
  // Backward through the fused form is several times slower on a CPU than through the plain one.
  if (observed() || (is_training() && x.is_cpu())) {
    const double scale = 1.0 / std::sqrt(static_cast<double>(head_dim));
    const auto weights = at::softmax(at::matmul(q * scale, k.transpose(-2, -1)), -1);
    y = at::matmul(attn_drop(weights), v);
  } else {
    y = at::scaled_dot_product_attention(q, k, v, {}, is_training() ? options.attn_drop : 0.0);
  }
  return proj_drop(proj(y.transpose(1, 2).flatten(2)));  // [B, N, C]
}

}  // namespace saccade::nn
