#pragma once
// Two by two tokens become one of twice the width. Source: Swin (v1: norm first, over 4C; v2: norm
// last, over 2C).

#include "saccade/nn/layers.h"

namespace saccade::nn {

/// [B, H, W, C] -> [B, ceil(H/2), ceil(W/2), 4C], each token beside those right and below it in the
/// order (0,0), (1,0), (0,1), (1,1) as [row, column]; odd sides are zero-padded.
[[nodiscard]] inline Tensor gather_2x2(const Tensor& map) {
  const auto x = at::constant_pad_nd(map, {0, 0, 0, map.size(2) % 2, 0, map.size(1) % 2});
  return x.unflatten(2, {-1, 2})
      .unflatten(1, {-1, 2})        // [B, H/2, 2, W/2, 2, C]
      .permute({0, 1, 3, 4, 2, 5})  // [B, H/2, W/2, column, row, C]
      .flatten(3);
}

struct PatchMerging : Module {
  PatchMerging(int64_t width, bool first, double eps)
      : norm_first(first),
        reduction(this, "reduction", 4 * width, 2 * width, false),
        norm(this, "norm", (first ? 4 : 2) * width, eps) {}
  Tensor forward(const Tensor& map) {                             // [B, H, W, C]
    const auto x = gather_2x2(map).flatten(1, 2);                 // [B, H/2 * W/2, 4C]
    return norm_first ? reduction(norm(x)) : norm(reduction(x));  // [B, H/2 * W/2, 2C]
  }
  bool norm_first;
  Child<Linear> reduction;
  Child<LayerNorm> norm;
};

}  // namespace saccade::nn
