#include "saccade/image/filter/weights.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "saccade/base/check.h"

namespace saccade::image {
namespace {

struct Kernel {
  double (*value)(double);
  double support;
};

double box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double hamming(double x) {
  x = std::abs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (0.54f + 0.46f * std::cos(x));  // Pillow's constants are single
}

/// Keys' cubic with a = -0.5.
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

Kernel kernel(Interpolation filter) {
  switch (filter) {
    case Interpolation::box: return {box, 0.5};
    case Interpolation::bilinear: return {bilinear, 1.0};
    case Interpolation::hamming: return {hamming, 1.0};
    case Interpolation::bicubic: return {bicubic, 2.0};
    case Interpolation::lanczos: return {lanczos, 3.0};
    case Interpolation::nearest: break;
  }
  throw InternalError("nearest has no weights");
}

}  // namespace

FilterWeights filter_weights(Interpolation filter, int64_t in_size, float from, float to,
                             int64_t out_size, int64_t begin, int64_t count) {
  SACCADE_CHECK(0 <= begin && begin + count <= out_size, "results {}+{} of {}", begin, count,
                out_size);
  const auto [value, base_support] = kernel(filter);
  const float length = to - from;  // single precision, as in Pillow
  const double scale = static_cast<double>(length) / static_cast<double>(out_size);
  const double stretch = std::max(scale, 1.0);
  const double support = base_support * stretch;
  const double inverse = 1.0 / stretch;
  FilterWeights result;
  result.taps.reserve(count);
  for (int64_t i = begin; i < begin + count; ++i) {
    const double centre = from + (static_cast<double>(i) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const int64_t end = std::min(in_size, static_cast<int64_t>(centre + support + 0.5));
    const auto start = static_cast<int64_t>(result.weights.size());
    double sum = 0.0;
    for (int64_t tap = first; tap < end; ++tap) {
      const double x = (static_cast<double>(tap) - centre + 0.5) * inverse;
      result.weights.push_back(value(x));
      sum += result.weights.back();
    }
    if (sum != 0.0)
      for (auto k = start; k < static_cast<int64_t>(result.weights.size()); ++k)
        result.weights[k] /= sum;
    result.taps.push_back({first, std::max<int64_t>(0, end - first), start});
  }
  return result;
}

std::vector<int32_t> FilterWeights::fixed_point() const {
  constexpr double one = 1 << kFixedPointBits;
  std::vector<int32_t> result(weights.size());
  std::transform(weights.begin(), weights.end(), result.begin(),
                 [](double w) { return static_cast<int32_t>((w < 0 ? -0.5 : 0.5) + w * one); });
  return result;
}

}  // namespace saccade::image
