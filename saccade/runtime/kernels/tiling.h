#pragma once
// How rows and columns are cut into tiles.

#include <algorithm>
#include <cstdint>

#include "saccade/ops/layout.h"
#include "saccade/runtime/kernels/pool.h"
#include "saccade/runtime/kernels/table.h"

namespace saccade::runtime::kernels {

[[nodiscard]] constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Range {
  int64_t begin, end;
  [[nodiscard]] int64_t size() const { return end - begin; }
};

/// Part i of `parts`, as even as can be.
[[nodiscard]] constexpr Range part(const Range& whole, int64_t parts, int64_t i) {
  const int64_t total = whole.end - whole.begin;
  return {whole.begin + total * i / parts, whole.begin + total * (i + 1) / parts};
}

/// What one task goes over where numbers are only touched once: 64 KiB of fp32.
inline constexpr int64_t kTaskElements = 16 << 10;

/// Calls body(begin, end) for tasks of about kTaskElements, of rows of n numbers. An even number of
/// even tasks, so that two threads have the rows here that they have in matrix products.
template <class Body>
void for_rows(int64_t rows, int64_t n, Pool& pool, const Body& body) {
  const int64_t pairs = ceil_div(ceil_div(rows * n, kTaskElements), 2);
  const int64_t tasks = std::min(2 * pairs, rows);
  pool.run(tasks, [&](int64_t task, int) {
    const Range own = part({0, rows}, tasks, task);
    body(own.begin, own.end);
  });
}

/// Columns that one tile covers.
struct Group {
  const TileFunction* functions;  ///< [rows - 1]
  int64_t width;                  ///< of the tile; those outside of `columns` are dropped
  Range columns;
};

/// Calls body(group) for groups as wide as a tile; `filled` columns exist in the panels.
template <class Body>
void for_each_group(const TileFamily& tiles, bool in_place, const Range& columns, int64_t filled,
                    const Body& body) {
  const auto* wide_tiles = in_place ? tiles.wide_in_place : tiles.wide;
  const auto* narrow_tiles = in_place ? tiles.narrow_in_place : tiles.narrow;
  for (int64_t c = columns.begin; c < columns.end;) {
    const bool wide = tiles.narrow == nullptr || c + tiles.columns <= filled;
    const int64_t width = wide ? tiles.columns : ops::kPanelWidth;
    body(Group{wide ? wide_tiles : narrow_tiles, width, {c, std::min(columns.end, c + width)}});
    c += width;
  }
}

}  // namespace saccade::runtime::kernels
