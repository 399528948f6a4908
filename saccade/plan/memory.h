#pragma once
// Where each value lies while a graph runs: one arena, shared by values whose lifetimes do not
// meet. A function of the graph alone, so it is not stored in the file; offsets and sizes are those
// of one picture and grow with the batch.

#include <string>
#include <vector>

#include "saccade/plan/graph.h"

namespace saccade::plan {

struct MemoryMap {
  /// The value whose memory each value uses: itself, or what it is a mere view of.
  std::vector<ValueId> owner;
  /// Bytes from the start of the arena for N = 1; -1 for constants and views.
  std::vector<int64_t> offset;
  /// Bytes for N = 1, a multiple of 64.
  int64_t size = 0;
};

inline constexpr int64_t kArenaAlignment = 64;

/// Bytes of a value for N = 1, rounded up to the arena's alignment.
[[nodiscard]] int64_t arena_bytes(const ops::Type& type);
/// Throws Error (resources) if the arena's size has no number.
[[nodiscard]] MemoryMap plan_memory(const Graph& graph);
/// One line for each value in the arena: lifetime, place, bytes, what it is.
[[nodiscard]] std::string print(const MemoryMap& map, const Graph& graph);

}  // namespace saccade::plan
