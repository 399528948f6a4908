#pragma once
// A raw plan compiled with lower precision where that is faster and accurate enough. What was
// measured and decided stands in the plan's report (docs/formats/plan.md).

#include <memory>
#include <optional>

#include "saccade/tune/layer.h"
#include "saccade/tune/pictures.h"

namespace saccade::tune {

struct TuneOptions {
  Precision precision = Precision::bf16;       ///< the lowest one to use
  std::shared_ptr<const Pictures> pictures{};  ///< for calibration; needed for int8, else optional
  /// Largest loss on the pictures: of top-1 in percentage points if they have labels, else of the
  /// output's relative error in percent. Absent: 0.2 (bf16) or 0.5 (int8) with labels, else none.
  std::optional<double> budget{};
  bool measure = true;  ///< times on this machine; else every layer is taken to be faster
  OnPictures on_pictures{};
};

/// Throws Error: usage for int8 without pictures and a budget without them; whatever pictures and
/// sessions throw.
[[nodiscard]] plan::Plan tune(const plan::Plan& raw, const TuneOptions& options,
                              const compile::CompileOptions& how = {});

}  // namespace saccade::tune
