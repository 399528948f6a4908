#pragma once
// The inner loops of resampling, in vector code chosen at run time. Integer arithmetic modulo 2^32
// without rounding, so every target gives the same bits.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "saccade/image/filter/weights.h"

namespace saccade::image {

/// Rows that the horizontal kernel reads must be readable this far beyond their end.
inline constexpr int64_t kRowSlack = 16;
/// Rows that the horizontal kernel takes at once.
inline constexpr int kRowsAtOnce = 4;

/// Horizontal weights in the order the kernel reads them. A weight w is split into w >> 12 and
/// w & 4095, which fit 16 bits each: two multiply-add instructions on 16-bit pairs take the place
/// of one slow 32-bit multiplication.
struct HorizontalWeights {
  struct Output {
    int64_t first_byte = 0;  ///< in the source row
    int64_t groups = 0;      ///< groups of pixels
    int64_t start = 0;       ///< in `packed`
  };
  int64_t channels = 0;
  std::vector<Output> outputs;
  std::vector<int16_t> packed;  ///< per group 16 low parts, then 16 high parts
};

[[nodiscard]] HorizontalWeights pack_horizontal(const FilterWeights& weights, int64_t channels);

/// out[r][x] for kRowsAtOnce rows; pointers may repeat.
void filter_horizontally(const HorizontalWeights& weights, const uint8_t* const* rows,
                         uint8_t* const* out);

/// Two neighbouring weights of the vertical pass, split as above.
struct WeightPair {
  uint32_t low;
  uint32_t high;
};

[[nodiscard]] std::vector<WeightPair> pack_vertical(std::span<const int32_t> weights);

/// out[i] = sum over the rows of weight * row[i], for `bytes` samples; `count` rows from `rows`
/// on, `stride` bytes apart.
void filter_vertically(std::span<const WeightPair> weights, const uint8_t* rows, int64_t stride,
                       int64_t count, int64_t bytes, uint8_t* out);

/// The instruction set in use, for reports: "AVX2".
[[nodiscard]] std::string_view vector_target();

}  // namespace saccade::image
