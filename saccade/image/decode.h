#pragma once
// JPEG and PNG to RGB, equal to Pillow's convert("RGB") to the bit.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "saccade/image/image.h"

namespace saccade::image {

struct DecodeOptions {
  /// Refused above this, before memory is taken (--max-pixels).
  int64_t max_pixels = 64'000'000;
  /// Turns the picture as its EXIF orientation says (Pillow's ImageOps.exif_transpose).
  bool apply_exif_orientation = false;
};

/// RGB pixels. Throws Error: bad_input (file, offset where known, reason) for anything that is not
/// a complete JPEG or PNG, resources above the pixel budget. `file` names the source in messages.
[[nodiscard]] Image decode(std::span<const std::byte> bytes, const DecodeOptions& options,
                           std::string_view file);
[[nodiscard]] Image read_image(const std::filesystem::path& path,
                               const DecodeOptions& options = {});

/// What the header says, without decoding.
struct ImageInfo {
  std::string_view format;  ///< "jpeg" or "png"
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 0;  ///< as stored
  int bit_depth = 8;
};
[[nodiscard]] bool looks_like_image(std::span<const std::byte> bytes);
[[nodiscard]] ImageInfo probe(std::span<const std::byte> bytes, std::string_view file);

}  // namespace saccade::image
