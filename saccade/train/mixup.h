#pragma once
// Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019) of a batch with its own reverse. Source:
// timm 1.0.31 data/mixup.py.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "saccade/base/random.h"

namespace saccade::train {

using torch::Tensor;

enum class MixupMode { batch, pair, elem };

/// Throws Error (usage) for a name that is none of batch, pair, elem.
[[nodiscard]] MixupMode parse_mixup_mode(const std::string& name);

struct MixupConfig {
  double mixup_alpha = 0.0;   ///< 0: no mixup
  double cutmix_alpha = 0.0;  ///< 0: no CutMix (but see cutmix_minmax)
  std::optional<std::array<double, 2>> cutmix_minmax = {};  ///< box sides as parts of the picture's
  double prob = 1.0;         ///< of mixing at all, per batch, pair or element
  double switch_prob = 0.5;  ///< of CutMix where both are on
  MixupMode mode = MixupMode::batch;
  bool correct_lam = true;  ///< recompute lambda from the clipped box
  double label_smoothing = 0.1;

  [[nodiscard]] bool active() const {
    return prob > 0 && (mixup_alpha > 0 || cutmix_alpha > 0 || cutmix_minmax);
  }
};

/// Rows yl..yh and columns xl..xh that come from the partner.
struct CutBox {
  int64_t yl = 0, yh = 0, xl = 0, xh = 0;
};

/// One decision: for the batch, a pair or an element. lam == 1 means "not mixed".
struct MixDraw {
  double lam = 1.0;  ///< share of the picture itself
  bool use_cutmix = false;
  CutBox box;
};

/// The decisions for a batch of `count` pictures of height x width (one for mode batch, count / 2
/// for pair, count for elem); boxes are drawn and lambdas corrected.
[[nodiscard]] std::vector<MixDraw> draw_mixup(const MixupConfig& config, int64_t count,
                                              int64_t height, int64_t width, Random& random);
/// The box of area ratio 1 - lam around (centre_y, centre_x), clipped at the border.
[[nodiscard]] CutBox cutmix_box(double lam, int64_t height, int64_t width, int64_t centre_y,
                                int64_t centre_x);
/// Share of the picture that the box leaves.
[[nodiscard]] double box_lam(const CutBox& box, int64_t height, int64_t width);

/// Mixes images [B, C, H, W] in place and returns the soft targets [B, num_classes] F32 of labels
/// [B] I64. B is even.
[[nodiscard]] Tensor apply_mixup(const MixupConfig& config, const std::vector<MixDraw>& draws,
                                 Tensor& images, const Tensor& labels, int64_t num_classes);

}  // namespace saccade::train
