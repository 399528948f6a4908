#pragma once
// Resampling weights as Pillow computes them (src/libImaging/Resample.c, precompute_coeffs).

#include <cstdint>
#include <vector>

#include "saccade/base/pipeline.h"

namespace saccade::image {

/// The samples of the source that one sample of the result is made of.
struct Taps {
  int64_t first = 0;
  int64_t count = 0;
  int64_t weight = 0;  ///< where its weights begin
};

struct FilterWeights {
  std::vector<Taps> taps;       ///< one per sample of the result
  std::vector<double> weights;  ///< each run sums to 1 (or is all 0)

  /// Rounded half away from zero to kFixedPointBits fractional bits.
  [[nodiscard]] std::vector<int32_t> fixed_point() const;
};

/// 8 bits of result and two of headroom for filters with negative lobes.
inline constexpr int kFixedPointBits = 32 - 8 - 2;

/// Results [begin, begin + count) of `out_size` over the source interval [from, to) of `in_size`
/// samples, all in single precision as in Pillow. Not for nearest.
[[nodiscard]] FilterWeights filter_weights(Interpolation filter, int64_t in_size, float from,
                                           float to, int64_t out_size, int64_t begin,
                                           int64_t count);

}  // namespace saccade::image
