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
};

}  // namespace saccade::image
