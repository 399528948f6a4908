#pragma once
// PNG through low-level libpng: no gamma, no blending, alpha dropped, 16 bits cut to the high byte.

#include <memory>

#include "saccade/image/decode.h"

namespace saccade::image {

[[nodiscard]] bool looks_like_png(std::span<const std::byte> bytes);
[[nodiscard]] ImageInfo probe_png(std::span<const std::byte> bytes, std::string_view file);
[[nodiscard]] std::unique_ptr<RowReader> open_png(std::span<const std::byte> bytes,
                                                  const DecodeOptions& options,
                                                  std::string_view file);

}  // namespace saccade::image
