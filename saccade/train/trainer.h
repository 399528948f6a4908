#pragma once
// The training loop of image classification. The same recipe gives the same bits, whether a run is
// stopped and resumed or not.

#include <filesystem>
#include <functional>

#include "saccade/train/recipe.h"

namespace saccade::train {

struct TrainOptions {
  std::filesystem::path out;  ///< the run folder
  bool resume = false;        ///< go on from its `last` checkpoint
  /// Builds everything, runs one batch forward and backward, reports, writes nothing.
  bool dry_run = false;
  /// A bar on terminals, a line now and then elsewhere (base/progress.h), on stderr.
  bool show_progress = false;
  /// Looked at between updates: true saves and ends with Error (interrupted).
  std::function<bool()> stop_requested;
};

struct TrainResult {
  int64_t epochs = 0;
  int64_t updates = 0;
  double top1 = 0.0;  ///< last evaluation; fractions
  double top5 = 0.0;
  double seconds = 0.0;
  std::filesystem::path model;  ///< the exported file
};

/// Trains until the schedule ends or `max_minutes` are used up. Throws Error for bad recipes, data
/// and checkpoints, and if the loss is not finite.
TrainResult train(const Recipe& recipe, const TrainOptions& options);

}  // namespace saccade::train
