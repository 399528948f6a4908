#pragma once
// From a decoded picture to one training sample: crop, flip, automatic augmentation, normalise,
// erase. Every draw is a function of (seed, epoch, sample).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "saccade/base/pipeline.h"
#include "saccade/base/random.h"
#include "saccade/image/image.h"
#include "saccade/train/augment/auto_augment.h"
#include "saccade/train/augment/rectangles.h"

namespace saccade::train {

enum class TrainCrop {
  none,     ///< as the evaluation pipeline resizes and crops; the other operations come before it
  pad,      ///< padded on all sides, then a random window of the picture's own size
  resized,  ///< a random part, resized to the pipeline's crop size (timm RandomResizedCrop)
};

/// Throws Error (usage) for an unknown name.
[[nodiscard]] TrainCrop parse_train_crop(const std::string& name);

struct TransformConfig {
  TrainCrop crop = TrainCrop::none;
  int64_t padding = 4;                            ///< pad: pixels on each side, the fill colour
  std::array<double, 2> scale{0.08, 1.0};         ///< resized: part of the area
  std::array<double, 2> ratio{3.0 / 4, 4.0 / 3};  ///< resized: width by height
  std::optional<Interpolation> interpolation;     ///< default: bilinear or bicubic, drawn
  double hflip = 0.5;                             ///< probability
  std::optional<AutoAugmentConfig> auto_augment;
  EraseConfig erase;
};

/// Thread-safe.
class TrainTransform {
 public:
  TrainTransform(const TransformConfig& config, const Pipeline& pipeline);
  /// [3, H, W] normalised as the pipeline says. `name` is for errors: with crop "pad" the picture
  /// must have the pipeline's crop size.
  [[nodiscard]] std::vector<float> operator()(image::Image image, Random random,
                                              const std::string& name) const;

 private:
  [[nodiscard]] image::Image cropped(image::Image image, Random& random,
                                     const std::string& name) const;
  [[nodiscard]] std::vector<float> prepared(const image::Image& image) const;

  TransformConfig config_;
  Pipeline pipeline_;
  std::array<std::array<float, 256>, 3> table_{};  ///< value of each byte, by channel
};

}  // namespace saccade::train
