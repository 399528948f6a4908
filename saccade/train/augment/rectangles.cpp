#include "saccade/train/augment/rectangles.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/check.h"
#include "saccade/base/error.h"

namespace saccade::train {
namespace {

constexpr int kAttempts = 10;

/// Half to even, as Python's round.
int64_t rounded(double value) { return static_cast<int64_t>(std::nearbyint(value)); }

std::optional<Rectangle> erase_rectangle(const EraseConfig& c, int64_t count, int64_t height,
                                         int64_t width, Draws& draws) {
  const double low = std::log(c.min_aspect);
  const double high = std::log(c.max_aspect.value_or(1.0 / c.min_aspect));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double area = draws.uniform(c.min_area, c.max_area) *
                        static_cast<double>(height * width) / static_cast<double>(count);
    const double aspect = std::exp(draws.uniform(low, high));
    const int64_t h = rounded(std::sqrt(area * aspect)), w = rounded(std::sqrt(area / aspect));
    if (w >= width || h >= height) continue;
    const int64_t top = draws.integer(0, height - h);
    return Rectangle{top, draws.integer(0, width - w), h, w};
  }
  return std::nullopt;
}

void fill(EraseMode mode, std::span<float> plane, const Rectangle& r, int64_t width, Draws& draws) {
  float value = mode == EraseMode::colour ? static_cast<float>(draws.normal()) : 0.0f;
  for (int64_t y = r.top; y < r.top + r.height; ++y)
    for (int64_t x = r.left; x < r.left + r.width; ++x) {
      if (mode == EraseMode::pixel) value = static_cast<float>(draws.normal());
      plane[static_cast<size_t>(y * width + x)] = value;
    }
}

}  // namespace

EraseMode parse_erase_mode(const std::string& name) {
  if (name == "const") return EraseMode::constant;
  if (name == "rand") return EraseMode::colour;
  if (name == "pixel") return EraseMode::pixel;
  throw usage_error("random erasing mode '{}': expected const, rand or pixel", name);
}

void erase(const EraseConfig& config, std::span<float> picture, int64_t channels, int64_t height,
           int64_t width, Draws& draws) {
  SACCADE_CHECK(std::ssize(picture) == channels * height * width, "{} values for {}x{}x{}",
                picture.size(), channels, height, width);
  if (draws.uniform() > config.probability) return;
  const int64_t count = config.min_count == config.max_count
                            ? config.min_count
                            : draws.integer(config.min_count, config.max_count);
  for (int64_t i = 0; i < count; ++i) {
    const auto rectangle = erase_rectangle(config, count, height, width, draws);
    if (!rectangle) continue;
    for (int64_t c = 0; c < channels; ++c)
      fill(config.mode,
           picture.subspan(static_cast<size_t>(c * height * width),
                           static_cast<size_t>(height * width)),
           *rectangle, width, draws);
  }
}

Rectangle random_crop(int64_t height, int64_t width, const std::array<double, 2>& scale,
                      const std::array<double, 2>& ratio, Draws& draws) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double area = draws.uniform(scale[0], scale[1]) * static_cast<double>(height * width);
    const double aspect = std::exp(draws.uniform(std::log(ratio[0]), std::log(ratio[1])));
    const int64_t w = rounded(std::sqrt(area * aspect)), h = rounded(std::sqrt(area / aspect));
    if (w > width || h > height) continue;
    const int64_t top = draws.integer(0, height - h);
    return {top, draws.integer(0, width - w), h, w};
  }
  const auto [narrow, wide] = std::minmax(ratio[0], ratio[1]);
  const double aspect = static_cast<double>(width) / static_cast<double>(height);
  int64_t w = width, h = height;
  if (aspect < narrow) h = rounded(static_cast<double>(w) / narrow);
  if (aspect > wide) w = rounded(static_cast<double>(h) * wide);
  return {(height - h) / 2, (width - w) / 2, h, w};
}

}  // namespace saccade::train
