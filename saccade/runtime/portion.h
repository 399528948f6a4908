#pragma once
// How many pictures of a batch are computed together.

#include <cstdint>

#include "saccade/plan/graph.h"

namespace saccade::runtime {

/// Whether N is the first dimension, outermost in memory, of everything that depends on it, and no
/// operator mixes what stands along it: then a batch can be computed in portions. May say no where
/// it could.
[[nodiscard]] bool pictures_stay_apart(const plan::Graph& graph);

/// The largest divisor of `batch` whose values fill `cache_bytes` or less, at least 1; the whole
/// batch if pictures do not stay apart. `bytes` are those of one picture's values.
[[nodiscard]] int64_t choose_portion(const plan::Graph& graph, int64_t bytes, int64_t batch,
                                     int64_t cache_bytes);

}  // namespace saccade::runtime
