#pragma once
// How a weight matrix lies in memory and in a plan: row by row, or in the panels that the matrix
// kernels read.

#include <cstddef>
#include <cstdint>

#include "saccade/base/dtype.h"

namespace saccade::ops {

/// `panels`: [ceil(rows / 16)][ceil(columns / g)][16][g] with g = 1 for F32, 2 for BF16 and 4 for
/// I8: sixteen rows of the logical matrix [rows, columns] (output columns of a linear layer) side
/// by side, `g` neighbours of the summed dimension together. Rows and columns that fill up are 0.
enum class Layout : uint8_t { row_major = 0, panels = 1 };

inline constexpr int64_t kPanelWidth = 16;

/// Neighbours of the summed dimension that lie together: 4 bytes.
[[nodiscard]] constexpr int64_t panel_group(DType dtype) {
  return dtype == DType::I8 ? 4 : dtype == DType::BF16 ? 2 : 1;
}

/// Bytes of a matrix of `rows` x `columns` in panels.
[[nodiscard]] constexpr int64_t panel_bytes(DType dtype, int64_t rows, int64_t columns) {
  const int64_t group = panel_group(dtype);
  const int64_t panels = (rows + kPanelWidth - 1) / kPanelWidth;
  return panels * ((columns + group - 1) / group) * kPanelWidth * 4;
}

/// Place of an element, in elements.
[[nodiscard]] constexpr int64_t panel_index(DType dtype, int64_t columns, int64_t row,
                                            int64_t column) {
  const int64_t group = panel_group(dtype), groups = (columns + group - 1) / group;
  return (((row / kPanelWidth) * groups + column / group) * kPanelWidth + row % kPanelWidth) *
             group +
         column % group;
}

}  // namespace saccade::ops
