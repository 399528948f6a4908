#pragma once
// A decoded picture: interleaved 8-bit samples.

#include <cstdint>
#include <vector>

namespace saccade::image {

struct Image {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 3;         ///< 1 (L), 2 (LA), 3 (RGB) or 4 (RGBA)
  std::vector<uint8_t> pixels;  ///< height * width * channels, row by row

  [[nodiscard]] int64_t row_bytes() const { return width * channels; }
  [[nodiscard]] const uint8_t* row(int64_t y) const { return pixels.data() + y * row_bytes(); }
  [[nodiscard]] uint8_t* row(int64_t y) { return pixels.data() + y * row_bytes(); }
};

/// A picture of that size, all samples 0.
[[nodiscard]] inline Image blank(int64_t height, int64_t width, int64_t channels) {
  return {width, height, channels, std::vector<uint8_t>(height * width * channels)};
}

/// One channel of wider samples: float (Pillow's F) or uint16_t (I;16).
template <class T>
struct Plane {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<T> samples;  ///< height * width, row by row
};

}  // namespace saccade::image
