#pragma once
// The picture operations of automatic augmentation, equal to Pillow's to the bit. RGB pictures in,
// RGB pictures out. Sources: Pillow 13 (ImageOps, ImageEnhance, ImageFilter), torchvision
// transforms (hue).

#include <array>
#include <cstdint>

#include "saccade/base/pipeline.h"
#include "saccade/image/image.h"

namespace saccade::train {

using image::Image;
using Fill = std::array<uint8_t, 3>;

/// Each channel stretched to 0..255.
[[nodiscard]] Image auto_contrast(Image picture);
/// Each channel's histogram made level.
[[nodiscard]] Image equalize(Image picture);
[[nodiscard]] Image invert(Image picture);
/// Keeps the top `bits` bits; 8 or more: unchanged, 0 or fewer: black (as Pillow up to 12; 13
/// refuses).
[[nodiscard]] Image posterize(Image picture, int64_t bits);
/// Inverts values from `threshold` on.
[[nodiscard]] Image solarize(Image picture, int64_t threshold);
/// Adds to values below 128, at most to 255.
[[nodiscard]] Image solarize_add(Image picture, int64_t add);

/// Blends with the grey picture, the mean grey, black, the smoothed picture: factor 0 gives that,
/// 1 the picture itself, beyond 1 exaggerates.
[[nodiscard]] Image adjust_color(const Image& picture, double factor);
[[nodiscard]] Image adjust_contrast(const Image& picture, double factor);
[[nodiscard]] Image adjust_brightness(const Image& picture, double factor);
[[nodiscard]] Image adjust_sharpness(const Image& picture, double factor);
/// Turns the hue by `factor` (in [-0.5, 0.5]) of the circle, in Pillow's byte-wise HSV.
[[nodiscard]] Image adjust_hue(Image picture, double factor);
/// Luma in all three channels.
[[nodiscard]] Image grayscale(Image picture);
/// Three box blurs in each direction, as Pillow approximates the Gaussian.
[[nodiscard]] Image gaussian_blur(Image picture, double radius);

/// Result pixel (x, y) comes from (x + factor * y, y), or (x, y + factor * x).
[[nodiscard]] Image shear_x(const Image& picture, double factor, Interpolation filter, Fill fill);
[[nodiscard]] Image shear_y(const Image& picture, double factor, Interpolation filter, Fill fill);
[[nodiscard]] Image translate(const Image& picture, double x, double y, Interpolation filter,
                              Fill fill);
/// Counter-clockwise around the centre, same size. Multiples of 90 degrees are exact where the
/// size allows.
[[nodiscard]] Image rotate(const Image& picture, double degrees, Interpolation filter, Fill fill);

}  // namespace saccade::train
