#pragma once
// Whole plans on the calibration's pictures.

#include "saccade/tune/pictures.h"
#include "saccade/tune/report.h"

namespace saccade::tune {

/// Keeps the answers of the fp32 plan and compares others with them.
class Judge {
 public:
  Judge(const plan::Plan& optimised, const Pictures& pictures, OnPictures on_pictures = {});
  /// The optimised plan in that precision.
  [[nodiscard]] Comparison compare(const compile::Assignment& assignment) const;

 private:
  /// Calls visit(batch, outputs) with the outputs of F32.
  void run(const compile::Assignment& assignment,
           const std::function<void(const Pictures::Batch&, const NamedTensors&)>& visit) const;

  const plan::Plan& optimised_;
  const Pictures& pictures_;
  OnPictures on_pictures_;
  std::vector<NamedTensors> expected_;  ///< of each batch
  int64_t right_ = 0;                   ///< pictures whose class fp32 finds
};

}  // namespace saccade::tune
