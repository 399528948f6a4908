#pragma once
// What each instruction set brings: register-tile functions and row functions, gathered in one
// table that is chosen at run time. Internal to kernels/; the drivers (matmul.cpp, attention.cpp)
// are plain code that calls through it.

#include <cstddef>
#include <cstdint>

#define SACCADE_INLINE inline __attribute__((always_inline))
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SACCADE_UNROLL(n)  // the accesses are the same; unrolled they take minutes to compile
#else
#define SACCADE_UNROLL(n) _Pragma(SACCADE_UNROLL_TEXT(GCC unroll n))
#define SACCADE_UNROLL_TEXT(text) #text
#endif

namespace saccade::runtime::kernels {

/// A packed row block holds `rows` rows of A in pieces of 64 bytes: [K pieces][rows][64 bytes], so
/// that neighbouring broadcasts of a tile stand at constant distances, whatever A looked like.
inline constexpr int64_t kPieceBytes = 64;
inline constexpr int kMaxTileRows = 14;
inline constexpr int kMaxTileColumns = 32;

/// Elements of a packed row: fp32, bf16, bytes with a zero point, or the same bytes widened.
enum class RowFormat : uint8_t { f32, bf16, u8, i16 };

[[nodiscard]] constexpr int64_t piece_elements(RowFormat format) {
  return format == RowFormat::f32 ? 16 : format == RowFormat::u8 ? 64 : 32;
}
[[nodiscard]] constexpr int64_t piece_count(RowFormat format, int64_t k) {
  return (k + piece_elements(format) - 1) / piece_elements(format);
}

/// One register tile: out[r][c] = (init[r][c] + sum over steps of A[r] . B[c]) + added[r][c].
/// Elements of init, added and out are fp32, or int32 for int8. A tile of more than 16 columns
/// spans two panels.
struct TileArgs {
  const std::byte* a;  ///< first row, at the first step
  int64_t a_row;       ///< bytes from row to row, for tiles that read rows in place
  const std::byte* b;  ///< panel at the first step, plus 4 * depth * column for its later half
  int64_t b_stride;    ///< bytes from one panel to the next
  int64_t steps;       ///< of 64 bytes in each panel
  const void* init;    ///< null: zeros
  int64_t init_row;    ///< elements from row to row, 0 repeats one row (bias)
  int64_t init_panel;  ///< elements from one 16 columns to the next
  void* out;           ///< may be init
  int64_t out_row;
  int64_t out_panel;
  const float* added;         ///< lies as out, is not out; null: nothing; not for int8
  const std::byte* prefetch;  ///< bytes that a later tile reads; never null
  int64_t prefetch_lines;     ///< lines to ask for with each piece of A
};

using TileFunction = void (*)(const TileArgs&);

/// All tiles of one element type on one instruction set.
struct TileFamily {
  const char* name;  ///< for reports: "AVX512-BF16"
  RowFormat format;  ///< how it reads A
  int rows;          ///< largest tile
  int columns;       ///< of wide: 4 ... 32
  /// Multiply-adds on registers alone, to find the peak: returns how many (2 operations each).
  double (*burn)(int64_t rounds);
  const TileFunction* wide;    ///< [rows]: tiles of 1, 2, ... rows
  const TileFunction* narrow;  ///< [rows]: one panel, where wide takes two; otherwise null
  /// The same for rows of A that are not packed; null where packing pays.
  const TileFunction* wide_in_place = nullptr;
  const TileFunction* narrow_in_place = nullptr;
};

/// Numbered as ops::Activation, whose header is too large for files with their own target flags.
enum class Activation : uint8_t { none, relu, gelu, gelu_tanh, silu, sigmoid, tanh };

/// Layer normalisation.
struct Norm {
  float epsilon = 1e-5F;
  const float* gamma = nullptr;  ///< [n] or null: 1
  const float* beta = nullptr;   ///< [n] or null: 0
};

/// What happens to a finished tile; columns and rows start at the tile's first. Null: left out.
///   y = activation(acc' + bias) + residual
/// with acc' = acc, for int8 row_scale * column_scale * (acc - zero * column_sum).
struct FinishArgs {
  const void* tile;     ///< [rows][tile_stride], readable to a multiple of 16 columns
  int64_t tile_stride;  ///< elements
  int rows;
  int columns;
  const float* row_scale;  ///< not null: int8
  int32_t zero;            ///< zero point of the rows
  const float* column_scale;
  const int32_t* column_sum;
  const float* bias;
  Activation activation;
  const float* residual;
  int64_t residual_row;  ///< elements from row to row
  float* out;            ///< may be the tile
  int64_t out_row;       ///< elements
  int64_t out_panel;     ///< elements from one 16 columns to the next
};

/// Functions on rows of fp32. None reads or writes beyond its n elements unless it says so.
struct RowFunctions {
  /// What pack_row does for bf16.
  void (*pack_bf16)(const float* row, int64_t k, std::byte* out, int64_t stride);
  /// A tile of 32 columns to one piece of bf16 for each row, 64 bytes apart.
  void (*pack_tile_bf16)(const float* tile, int64_t tile_stride, int rows, std::byte* out);
  /// Copies one row of k elements to its pieces, `stride` bytes apart; the last one is filled with
  /// zeros. Bytes: round(x * inverse_scale) + zero, clamped to [0, 255].
  void (*pack_row)(RowFormat format, const float* row, int64_t k, float inverse_scale, int32_t zero,
                   std::byte* out, int64_t stride);
  /// Two rows of n elements to bf16 pairs, 16 columns in each piece of 64 bytes, `stride` apart.
  /// The odd row may be null: zeros.
  void (*interleave_bf16)(const float* even, const float* odd, int64_t n, std::byte* out,
                          int64_t stride);
  /// y = (x - mean) / sqrt(variance + epsilon) [* gamma + beta] [+ residual] for each of `rows`
  /// rows of n elements, one behind the other; x may be y.
  void (*layer_norm)(const float* x, int64_t rows, int64_t n, const Norm& norm,
                     const float* residual, float* y);
  float (*largest_magnitude)(const float* x, int64_t n);
  void (*finish)(const FinishArgs& args);
  /// y = softmax(x).
  void (*softmax)(const float* x, int64_t n, float* y);
  void (*activate)(Activation activation, const float* x, int64_t n, float* y);
  void (*add)(const float* a, const float* b, int64_t n, float* y);
  void (*multiply)(const float* a, const float* b, int64_t n, float* y);
  /// y = x * factor.
  void (*scale)(const float* x, float factor, int64_t n, float* y);
};

/// The tiles that Highway's instruction sets can express.
struct Tiles {
  int64_t target;  ///< HWY_AVX2, ...
  TileFamily f32;
  TileFamily bf16;
  TileFamily i8;
};

struct KernelTable {
  Tiles tiles;
  RowFunctions rows;
};

/// The table of the instruction set in use: what Highway has chosen (tests may restrict it), with
/// the dot products of the processor where Highway's choice reaches as far.
[[nodiscard]] KernelTable kernel_table();
/// Tests switch the processor's dot products off to see what stands in for them.
void allow_dot_products(bool allowed);

[[nodiscard]] Tiles highway_tiles();
[[nodiscard]] RowFunctions highway_rows();

/// Tiles of instruction sets beyond Highway's; null where this build has none.
[[nodiscard]] const TileFamily* avx512bf16_tiles();
void avx512bf16_pack(const float* row, int64_t k, std::byte* out, int64_t stride);
void avx512bf16_pack_tile(const float* tile, int64_t tile_stride, int rows, std::byte* out);
[[nodiscard]] const TileFamily* avx512vnni_tiles();
[[nodiscard]] const TileFamily* avxvnni_tiles();

}  // namespace saccade::runtime::kernels
