#pragma once
// Pictures for tests, made from numbers.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "saccade/base/file.h"
#include "saccade/base/random.h"
#include "saccade/image/image.h"

namespace saccade::image::test {

/// Noise: the hardest picture to resample alike.
inline Image noise(int64_t height, int64_t width, int64_t channels, uint64_t seed = 1) {
  Image picture = blank(height, width, channels);
  Random random(seed, 0, 0, "test picture");
  for (auto& sample : picture.pixels) sample = static_cast<uint8_t>(random.below(256));
  return picture;
}

/// A file of the copied golden cases.
inline std::filesystem::path golden_file(std::string_view name) {
  return std::filesystem::path(SACCADE_TEST_DATA) / "preprocess" / name;
}

inline std::vector<std::byte> file_bytes(const std::filesystem::path& path) {
  const auto map = FileMap::open(path);
  return {map->bytes().begin(), map->bytes().end()};
}

}  // namespace saccade::image::test
