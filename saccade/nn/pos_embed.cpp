#include "saccade/nn/pos_embed.h"

namespace saccade::nn {

Tensor resize_pos_embed(const Tensor& pos_embed, std::array<int64_t, 2> from,
                        std::array<int64_t, 2> to, int64_t prefix, bool antialias) {
  const auto tokens = pos_embed.slice(1, 0, prefix);  // [1, prefix, C]
  auto grid = pos_embed.slice(1, prefix)
                  .to(torch::kFloat32)  // [1, h*w, C]
                  .reshape({1, from[0], from[1], -1})
                  .permute({0, 3, 1, 2});  // [1, C, h, w]
  grid = antialias ? at::_upsample_bicubic2d_aa(grid, to, false)
                   : at::upsample_bicubic2d(grid, to, false);  // [1, C, h', w']
  grid = grid.permute({0, 2, 3, 1}).flatten(1, 2);             // [1, h'*w', C]
  return at::cat({tokens, grid.to(pos_embed.scalar_type())}, 1);
}

}  // namespace saccade::nn
