#pragma once
// Pillow's Image.resize, to the bit (facts and versions: docs/formats/pictures.md).

#include <cstdint>
#include <optional>

#include "saccade/base/pipeline.h"
#include "saccade/image/image.h"

namespace saccade::image {

/// A rectangle of the source in pixels, may be fractional; single precision as in Pillow.
struct Box {
  float left = 0;
  float top = 0;
  float right = 0;
  float bottom = 0;
};

/// Whose results to reproduce. Pillow 13 changed the order of the passes for some tall pictures
/// and mended the overflow of 16-bit samples.
enum class PillowRules { v13, v12 };

/// A part of the result in pixels: only that part is computed.
struct Window {
  int64_t top = 0;
  int64_t left = 0;
  int64_t height = 0;
  int64_t width = 0;
};

struct ResizeRequest {
  int64_t height = 0;
  int64_t width = 0;
  Interpolation filter = Interpolation::bicubic;
  std::optional<Box> box;        ///< default: the whole picture
  std::optional<Window> window;  ///< default: the whole result
  PillowRules rules = PillowRules::v13;
};

/// Throws Error (usage) for a size below 1 and a box outside the picture. Pictures with alpha are
/// premultiplied around every filter but nearest. The same bits for any number of threads.
[[nodiscard]] Image resize(const Image& picture, const ResizeRequest& request);
[[nodiscard]] Image resize(const Image& picture, int64_t height, int64_t width,
                           Interpolation filter, std::optional<Box> box = {});

/// Float samples (Pillow's mode F) and 16-bit samples (I;16); no window.
[[nodiscard]] Plane<float> resize(const Plane<float>& plane, const ResizeRequest& request);
[[nodiscard]] Plane<uint16_t> resize(const Plane<uint16_t>& plane, const ResizeRequest& request);

/// True if the vertical pass comes first.
[[nodiscard]] bool vertical_first(int64_t in_height, int64_t in_width,
                                  const ResizeRequest& request);

}  // namespace saccade::image
