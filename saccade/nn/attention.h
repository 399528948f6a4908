#pragma once
// Multi-head self-attention over a sequence of tokens.

#include "saccade/nn/drop.h"
#include "saccade/nn/layers.h"

namespace saccade::nn {

struct AttentionOptions {
  int64_t dim = 0;  ///< C
  int64_t num_heads = 8;
  bool qkv_bias = true;
  double attn_drop = 0.0;  ///< on the attention weights
  double proj_drop = 0.0;  ///< on the output
};

/// One projection to query, key and value of all heads, scaled dot-product attention with scale
/// head_dim^-0.5, projection back. Fused in evaluation unless observed; then `attn_drop` yields the
/// weights
/// [B, heads, N, N].
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
