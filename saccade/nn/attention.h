#pragma once
// Multi-head self-attention over a sequence of tokens, and what every kind of attention shares.

#include "saccade/nn/drop.h"
#include "saccade/nn/layers.h"

namespace saccade::nn {

/// Queries, keys and values, each [B, heads, N, C / heads].
struct Heads {
  Tensor q, k, v;
};
/// From one joint projection [B, N, 3C].
[[nodiscard]] Heads split_heads(const Tensor& q_k_v, int64_t num_heads);

/// What happens to q kᵀ before the softmax.
struct Scores {
  double scale = 1.0;
  Tensor bias{};  ///< added: [1, heads, N, N], or undefined
  Tensor mask{};  ///< added: [W, N, N] where the batch is groups of W windows, or undefined
};
/// softmax(scale q kᵀ + bias + mask) v, heads joined again: [B, N, C]. Fused in evaluation unless
/// observed; then `attn_drop` yields the weights [B, heads, N, N].
[[nodiscard]] Tensor attend(const Heads& heads, const Scores& scores,
                            const Child<Dropout>& attn_drop);

struct AttentionOptions {
  int64_t dim = 0;  ///< C
  int64_t num_heads = 8;
  bool qkv_bias = true;
  double attn_drop = 0.0;  ///< on the attention weights
  double proj_drop = 0.0;  ///< on the output
};

/// One projection to query, key and value of all heads, attention with scale head_dim^-0.5,
/// projection back.
struct Attention : Module {
  explicit Attention(AttentionOptions options);
  Tensor forward(const Tensor& x);  // [B, N, C] -> [B, N, C]

  AttentionOptions options;
  Child<Linear> qkv{this, "qkv", options.dim, 3 * options.dim, options.qkv_bias};
  Child<Dropout> attn_drop{this, "attn_drop", options.attn_drop};
  Child<Linear> proj{this, "proj", options.dim, options.dim};
  Child<Dropout> proj_drop{this, "proj_drop", options.proj_drop};
};

}  // namespace saccade::nn
