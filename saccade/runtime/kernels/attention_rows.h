#pragma once
// What attention does to rows beside its products, many rows in one call. Chosen at run time as
// table.h; internal to kernels/.

#include <cstddef>
#include <cstdint>

#include "saccade/runtime/kernels/table.h"

namespace saccade::runtime::kernels {

/// What is computed for each row of a tile, or column of a panel, has room for so many; "with
/// room".
inline constexpr int64_t kTileRowRoom = 16;
static_assert(kMaxTileRows <= kTileRowRoom);
inline constexpr float kLog2E = 1.44269504F;

/// Rows of q, k or v, `length` elements each, taken times factors[row] where there are factors.
struct HeadPack {
  const float* const* rows;
  const float* factors;  ///< or null
  int64_t count;
  int64_t length;
  std::byte* out;
  int64_t piece_stride;  ///< bytes from one piece of 64 bytes, or one panel, to the next
};

/// How rows become operands of a tile family.
struct HeadPacking {
  /// Rows of a tile: piece p of row r at p * piece_stride + 64 r, the last one filled with zeros.
  void (*tile)(const HeadPack& pack);
  /// 16 rows as the columns of one panel.
  void (*columns)(const HeadPack& pack);
  /// Rows as steps of all panels: one each, or two with bf16 (an odd last one beside zeros).
  void (*steps)(const HeadPack& pack);
};

/// out[r] = row r of a packed tile . a row packed in the same way, fp32 or pairs of bf16.
struct DotRows {
  const float* tile;  ///< [pieces][rows][16]
  const float* row;   ///< [pieces][16]
  int64_t rows;
  int64_t pieces;
  bool bf16;
  float* out;  ///< with room
};

/// Scores of a tile, in units of ln 2, turned into weights 2^(x - max) that are not yet divided by
/// their sum. What stands beyond `keys` is arbitrary, but for the other half of a last odd bf16.
struct SoftmaxTile {
  float* scores;  ///< [keys / 16][rows][16]; fp32 weights replace them
  int64_t rows;
  int64_t keys;  ///< whose scores these are
  float* lone;   ///< [rows], with room: scores of one more key, behind whole pieces; or null
  const float* added[2];    ///< [rows][all keys], in units of 1; null: nothing, and nothing behind
  int64_t added_stride[2];  ///< elements from row to row
  uint16_t* bf16;           ///< not null: weights go here, [keys / 32][rows][32]
  float* inverse_sums;      ///< [rows], with room
};

/// out[r][begin + c] = tile[r][c] * factors[r]
struct ScaledTile {
  const float* tile;  ///< [rows][tile_stride], readable to a multiple of 16 columns
  int64_t tile_stride;
  int64_t rows;
  int64_t begin;
  int64_t columns;
  const float* factors;  ///< [rows]
  float* const* out;     ///< [rows]
};

struct HeadFunctions {
  HeadPacking packing;  ///< fp32
  /// factors[r] = 1 / max(|row r|, 1e-12), with room
  void (*unit_factors)(const float* const* rows, int64_t count, int64_t length, float* factors);
  void (*dots)(const DotRows& rows);
  void (*softmax)(const SoftmaxTile& tile);
  void (*scale)(const ScaledTile& tile);
};

/// Those of the instruction set in use.
[[nodiscard]] HeadFunctions head_functions();
/// For the tiles of AVX512-BF16; null functions where this build has none.
[[nodiscard]] HeadPacking avx512bf16_packing();

}  // namespace saccade::runtime::kernels
