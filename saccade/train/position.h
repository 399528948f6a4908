#pragma once
// Where a run is.

#include <cstdint>
#include <string>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/train/run_folder.h"

namespace saccade::train {

/// Where the run is; all of it goes into the checkpoint.
struct Position {
  int64_t epoch = 0;    ///< epochs completed
  int64_t batch = 0;    ///< batches of this epoch that are behind
  int64_t updates = 0;  ///< over all epochs
  double loss_sum = 0.0;
  int64_t loss_count = 0;
  double seconds = 0.0;        ///< of work, over all sessions
  double epoch_seconds = 0.0;  ///< of training in this epoch
  double best_top1 = -1.0;
  bool finished = false;
  std::vector<EpochMetrics> history;
};

[[nodiscard]] Json to_json(const Position& position);
/// Throws Error (bad_input, naming `where`).
[[nodiscard]] Position position_from_json(const Json& json, const std::string& where);

}  // namespace saccade::train
