#pragma once
// Rows of A as the tiles of the matrix kernel read them: tile behind tile, each of them
// [pieces of K][rows of the tile][64 bytes], the last piece filled with zeros. An operator that
// makes such rows for a matrix product can store them so at once.

#include <cstddef>
#include <cstdint>

#include "saccade/runtime/kernels/table.h"
#include "saccade/runtime/kernels/tiling.h"

namespace saccade::runtime::kernels {

struct Packing {
  RowFormat format = RowFormat::f32;
  int64_t rows = 0, k = 0;
  int64_t tiles = 0;  ///< of about the same height

  [[nodiscard]] Range tile(int64_t i) const { return part({0, rows}, tiles, i); }
  [[nodiscard]] int64_t row_bytes() const { return piece_count(format, k) * kPieceBytes; }

  friend bool operator==(const Packing&, const Packing&) = default;
};

}  // namespace saccade::runtime::kernels
