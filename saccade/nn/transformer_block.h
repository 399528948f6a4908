#pragma once
// The pre-norm encoder block of ViT and what descends from it.

#include "saccade/nn/attention.h"
#include "saccade/nn/mlp.h"

namespace saccade::nn {

struct BlockOptions {
  AttentionOptions attn;
  MlpOptions mlp;
  double norm_eps = 1e-6;
  double drop_path = 0.0;
};

/// x + attn(norm1 x), then x + mlp(norm2 x); each branch with its own stochastic depth.
struct Block : Module {
  explicit Block(BlockOptions block) : options(std::move(block)) {}
  Tensor forward(Tensor x) {  // [B, N, C] -> [B, N, C]
    x = x + drop_path1(attn(norm1(x)));
    return x + drop_path2(mlp(norm2(x)));
  }

  BlockOptions options;
  Child<LayerNorm> norm1{this, "norm1", options.attn.dim, options.norm_eps};
  Child<Attention> attn{this, "attn", options.attn};
  Child<DropPath> drop_path1{this, "drop_path1", options.drop_path};
  Child<LayerNorm> norm2{this, "norm2", options.attn.dim, options.norm_eps};
  Child<Mlp> mlp{this, "mlp", options.mlp};
  Child<DropPath> drop_path2{this, "drop_path2", options.drop_path};
};

/// Options of block `index` from a configuration with timm's field names.
template <class Config>
[[nodiscard]] BlockOptions block_options(const Config& c, int64_t index) {
  return {.attn = {.dim = c.embed_dim,
                   .num_heads = c.num_heads,
                   .qkv_bias = c.qkv_bias,
                   .attn_drop = c.attn_drop_rate,
                   .proj_drop = c.proj_drop_rate},
          .mlp = {.dim = c.embed_dim,
                  .hidden = c.mlp_hidden(),
                  .act = c.act_layer.name,
                  .drop = c.proj_drop_rate},
          .norm_eps = c.norm_layer.eps,
          .drop_path = drop_path_rate(c.drop_path_rate, index, c.depth)};
}

}  // namespace saccade::nn
