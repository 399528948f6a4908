#pragma once
// From a decoded picture to one training sample: crop, flip, normalise. Every draw is a function of
// (seed, epoch, sample).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/pipeline.h"
#include "saccade/base/random.h"
#include "saccade/image/image.h"

namespace saccade::train {

enum class TrainCrop {
  none,  ///< as the evaluation pipeline resizes and crops
  pad,   ///< padded on all sides, then a random window of the picture's own size
};

/// Throws Error (usage) for an unknown name.
[[nodiscard]] TrainCrop parse_train_crop(const std::string& name);

struct TransformConfig {
  TrainCrop crop = TrainCrop::none;
  int64_t padding = 4;  ///< pixels on each side, filled with the pipeline's fill colour
  double hflip = 0.5;   ///< probability
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
  [[nodiscard]] std::vector<float> normalised(const image::Image& image) const;

  TransformConfig config_;
  Pipeline pipeline_;
  std::array<std::array<float, 256>, 3> table_{};  ///< value of each byte, by channel
};

}  // namespace saccade::train
