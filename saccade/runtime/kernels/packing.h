#pragma once
// Rows that a matrix product reads, packed by the operator that makes them. Rows of A as tiles read
// them: tile behind tile, each of them [pieces of K][rows of the tile][64 bytes], the last piece
// filled with zeros. Or B as rows over K: for each image panels [pieces of N][rows][64 bytes].

#include <cstddef>
#include <cstdint>

#include "saccade/runtime/kernels/table.h"
#include "saccade/runtime/kernels/tiling.h"

namespace saccade::runtime::kernels {

struct Packing {
  RowFormat format = RowFormat::f32;
  int64_t rows = 0, k = 0;  ///< of all images; elements of a row
  int64_t tiles = 0;        ///< of about the same height, each within an image
  int64_t panel_rows = 0;   ///< of an image, for B; 0: rows of A

  [[nodiscard]] Range tile(int64_t i) const { return part({0, rows}, tiles, i); }
  [[nodiscard]] int64_t row_bytes() const { return piece_count(format, k) * kPieceBytes; }

  /// Where the first of some rows of a tile begins. The next one is 64 bytes on, the next piece
  /// piece_stride.
  struct Place {
    std::byte* first;
    int64_t piece_stride;
  };
  [[nodiscard]] Place place(std::byte* data, const Range& some) const {
    if (panel_rows == 0) return {data + some.begin * row_bytes(), some.size() * kPieceBytes};
    const int64_t row = some.begin % panel_rows;
    return {data + (some.begin - row) * row_bytes() + row * kPieceBytes, panel_rows * kPieceBytes};
  }

  friend bool operator==(const Packing&, const Packing&) = default;
};

}  // namespace saccade::runtime::kernels
