#pragma once
// Which samples an epoch visits, and in which order: a function of its options alone, so a run that
// resumes, or runs on another number of processes, sees the same global order.

#include <cstdint>
#include <vector>

namespace saccade::data {

/// One visit.
struct Pick {
  int64_t position = 0;  ///< in the epoch's global order
  int64_t index = 0;     ///< of the sample in the data set
  bool operator==(const Pick&) const = default;
};

struct SamplerOptions {
  int64_t size = 0;      ///< samples in the data set
  bool shuffle = false;  ///< a permutation keyed by (seed, epoch), else 0, 1, 2, ...
  uint64_t seed = 0;
  uint64_t epoch = 0;
  int64_t start = 0;  ///< positions that the epoch has behind it, over all processes
  int64_t rank = 0;   ///< takes every `world`-th position from start + rank on, so that the batches
  int64_t world = 1;  ///< of one step, over all processes, are a contiguous piece of the order
  int64_t batch_size = 1;  ///< of one process; matters for drop_last only
  bool drop_last = false;  ///< leaves out the tail that is no full batch on every process
};

/// The picks of one process. Throws InternalError for sizes that make no sense.
[[nodiscard]] std::vector<Pick> epoch_order(const SamplerOptions& options);

}  // namespace saccade::data
