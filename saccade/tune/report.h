#pragma once
// What tuning measured and decided, as it stands in a plan.

#include "saccade/base/json.h"
#include "saccade/tune/layer.h"

namespace saccade::tune {

/// How a plan compares with its fp32 original on the calibration's pictures.
struct Comparison {
  int64_t pictures = 0;
  std::optional<double> top1_fp32, top1;  ///< fractions; only with labels
  double output_error = 0;                ///< |y - y_fp32| / |y_fp32|, root of the squares

  /// In percentage points of top-1, or, without labels, percent of output error.
  [[nodiscard]] double loss() const { return 100.0 * (top1 ? *top1_fp32 - *top1 : output_error); }
};

struct Facts {
  Precision requested = Precision::fp32;
  std::optional<std::string> calibration;  ///< name of the folder
  std::optional<Comparison> comparison;
  std::optional<double> budget;
  std::optional<double> ms_fp32, ms;  ///< of the whole plan, one picture
};

/// The object that docs/formats/plan.md describes.
[[nodiscard]] Json report(const std::vector<Layer>& layers, const Facts& facts);

}  // namespace saccade::tune
