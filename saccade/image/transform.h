#pragma once
// Moving pixels around: cropping, flipping, padding, EXIF orientation and affine transforms, as
// Pillow does them.

#include <array>
#include <cstdint>

#include "saccade/base/pipeline.h"
#include "saccade/image/image.h"

namespace saccade::image {

/// height x width pixels from (top, left) on; what lies outside the picture becomes `fill` (the
/// first `channels` values of it). Throws Error (usage) for a side below 1.
[[nodiscard]] Image crop(const Image& picture, int64_t top, int64_t left, int64_t height,
                         int64_t width, std::array<uint8_t, 4> fill = {0, 0, 0, 0});

/// Mirrored left to right.
[[nodiscard]] Image hflip(const Image& picture);
/// Upside down.
[[nodiscard]] Image vflip(const Image& picture);
/// Rows become columns.
[[nodiscard]] Image transpose(const Image& picture);

/// EXIF orientation 1..8 undone (Pillow's ImageOps.exif_transpose); other values: as it is.
[[nodiscard]] Image upright(Image picture, int orientation);
/// True if that swaps height and width.
[[nodiscard]] inline bool turns_sideways(int orientation) {
  return orientation >= 5 && orientation <= 8;
}

/// Pillow's Image.transform(size, AFFINE, matrix, resample, fillcolor): result pixel (x, y) comes
/// from (a x + b y + c, d x + e y + f), taken at pixel centres. nearest, bilinear or bicubic (whose
/// cubic has a = -1 here, unlike in resize); no antialiasing; results are truncated, not rounded.
/// Outside the picture: `fill`. Throws Error (usage) for other filters. No alpha (L or RGB).
[[nodiscard]] Image affine(const Image& picture, int64_t height, int64_t width,
                           const std::array<double, 6>& matrix, Interpolation filter,
                           std::array<uint8_t, 4> fill = {0, 0, 0, 0});

}  // namespace saccade::image
