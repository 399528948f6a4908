#pragma once
// JPEG through libjpeg-turbo with its defaults (accurate DCT, fancy upsampling): Pillow's bits.

#include <memory>

#include "saccade/image/decode.h"

namespace saccade::image {

/// Work allowed for one picture: scans * pixels. A progressive file may hold hundreds of empty
/// scans, each of which costs a pass over the whole picture.
inline constexpr int64_t kMaxScanPixels = 1'000'000'000;

[[nodiscard]] bool looks_like_jpeg(std::span<const std::byte> bytes);
[[nodiscard]] ImageInfo probe_jpeg(std::span<const std::byte> bytes, std::string_view file);
[[nodiscard]] std::unique_ptr<RowReader> open_jpeg(std::span<const std::byte> bytes,
                                                   const DecodeOptions& options,
                                                   std::string_view file);

}  // namespace saccade::image
