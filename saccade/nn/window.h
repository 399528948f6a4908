#pragma once
// A map of tokens cut into windows, shifted windows, and positions relative to each other inside
// one. Source: Liu et al., "Swin Transformer", ICCV 2021; "Swin Transformer V2", CVPR 2022.

#include <array>
#include <functional>

#include "saccade/nn/module.h"

namespace saccade::nn {

using Size = std::array<int64_t, 2>;  ///< [height, width] in tokens

/// How one block cuts its map.
struct WindowCut {
  Size window{1, 1};
  Size shift{0, 0};          ///< the map is rolled by -shift before the cut
  bool roll_first = false;   ///< true: rolls, then pads (timm); false: pads, then rolls
  double mask_value = -100;  ///< added between tokens of different regions
};

/// `map` after zero padding to whole windows.
[[nodiscard]] Size padded_size(Size map, Size window);
/// [B, H, W, C] -> [B * windows, N, C], N tokens a window; windows of one picture follow each
/// other. Sides that the window does not divide are zero-padded right and bottom.
[[nodiscard]] Tensor to_windows(const Tensor& map, const WindowCut& cut);
/// The way back: [B * windows, N, C] -> [B, H, W, C].
[[nodiscard]] Tensor from_windows(const Tensor& windows, const WindowCut& cut, Size map);
/// [windows, N, N]: cut.mask_value between tokens that were no neighbours before the roll, else 0.
/// `padded` is divided by the window. Undefined without a shift.
[[nodiscard]] Tensor shift_mask(Size padded, const WindowCut& cut);

/// [N, N] (int64): row of the relative position table for query and key, offset query - key.
[[nodiscard]] Tensor relative_position_index(Size window);
/// [1, 2h - 1, 2w - 1, 2]: offsets in log space, row first, scaled by the pretraining window, or by
/// `window` where that is 0. A window of 1 has the offset 0 (the reference divides 0 by 0).
[[nodiscard]] Tensor log_coordinates(Size window, int64_t pretrained);
/// A table [rows, heads] gathered for every pair of tokens: [1, heads, N, N].
[[nodiscard]] Tensor gather_bias(const Tensor& table, const Tensor& index);

/// A table of offsets [(2s-1)^2, heads] for another window, bicubic without antialias, as Swin's
/// load_pretrained. Throws Error (bad_input) if it is not square.
[[nodiscard]] Tensor resize_bias_bicubic(const Tensor& table, Size window);
/// The same as timm's resize_rel_pos_bias_table: linear between geometrically spaced offsets.
[[nodiscard]] Tensor resize_bias_geometric(const Tensor& table, Size window);

/// A constant that is made when it is first needed and kept for one size and device.
class SizedConstant {
 public:
  /// `make(size)` gives the tensor on the CPU; it may be undefined.
  [[nodiscard]] const Tensor& at(Size size, torch::Device device,
                                 const std::function<Tensor(Size)>& make);

 private:
  Size size_{-1, -1};
  Tensor value_;
};

}  // namespace saccade::nn
