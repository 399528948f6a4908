#pragma once
// Pictures to files.

#include <cstddef>
#include <filesystem>
#include <vector>

#include "saccade/image/image.h"

namespace saccade::image {

/// PNG of 8 bits per sample, with 1 to 4 channels.
[[nodiscard]] std::vector<std::byte> encode_png(const Image& picture);

/// Baseline JPEG of 1 or 3 channels, quality 1 .. 100, colour at half resolution as libjpeg's
/// default. Throws Error (usage) for other channels and qualities.
[[nodiscard]] std::vector<std::byte> encode_jpeg(const Image& picture, int quality = 90);

/// By the extension of `path` (.png, .jpg, .jpeg), atomically (base/file.h). Throws Error: usage
/// for other extensions, resources if the disk refuses.
void write_image(const std::filesystem::path& path, const Image& picture);

}  // namespace saccade::image
