#include "saccade/image/transform.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "tests/image/pictures.h"

namespace saccade::image {
namespace {

using test::noise;

/// 1 2 3
/// 4 5 6
Image numbers() { return {3, 2, 1, {1, 2, 3, 4, 5, 6}}; }

TEST(Transform, CropsInsideAndBeyond) {
  EXPECT_EQ(crop(numbers(), 0, 1, 2, 2).pixels, (std::vector<uint8_t>{2, 3, 5, 6}));
  EXPECT_EQ(crop(numbers(), -1, -1, 3, 3, {9, 0, 0, 0}).pixels,
            (std::vector<uint8_t>{9, 9, 9, 9, 1, 2, 9, 4, 5}));
  EXPECT_EQ(crop(numbers(), 5, 5, 1, 2, {7, 0, 0, 0}).pixels, (std::vector<uint8_t>{7, 7}));
  EXPECT_THROW((void)crop(numbers(), 0, 0, 0, 1), Error);
}

TEST(Transform, Flips) {
  EXPECT_EQ(hflip(numbers()).pixels, (std::vector<uint8_t>{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(vflip(numbers()).pixels, (std::vector<uint8_t>{4, 5, 6, 1, 2, 3}));
  const Image turned = transpose(numbers());
  EXPECT_EQ(turned.height, 3);
  EXPECT_EQ(turned.pixels, (std::vector<uint8_t>{1, 4, 2, 5, 3, 6}));
  const Image large = noise(150, 70, 3);
  EXPECT_EQ(transpose(transpose(large)).pixels, large.pixels);
}

/// Orientation n says how the camera was held; the values are those of the EXIF standard.
TEST(Transform, UndoesEveryOrientation) {
  const std::vector<std::vector<uint8_t>> upright_pixels = {
      {1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1}, {4, 5, 6, 1, 2, 3},
      {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}, {3, 6, 2, 5, 1, 4}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image result = upright(numbers(), orientation);
    EXPECT_EQ(result.pixels, upright_pixels[orientation - 1]) << orientation;
    EXPECT_EQ(result.height == 3, turns_sideways(orientation)) << orientation;
  }
  EXPECT_EQ(upright(numbers(), 0).pixels, numbers().pixels);
  EXPECT_EQ(upright(numbers(), 9).pixels, numbers().pixels);
}

TEST(Transform, AffineIdentityAndShift) {
  const Image picture = noise(20, 30, 3);
  for (const auto filter :
       {Interpolation::nearest, Interpolation::bilinear, Interpolation::bicubic})
    EXPECT_EQ(affine(picture, 20, 30, {1, 0, 0, 0, 1, 0}, filter).pixels, picture.pixels)
        << name(filter);
  const Image shifted =
      affine(picture, 20, 30, {1, 0, 4, 0, 1, -3}, Interpolation::bicubic, {1, 2, 3, 0});
  EXPECT_EQ(shifted.pixels, crop(picture, -3, 4, 20, 30, {1, 2, 3, 0}).pixels);
}

TEST(Transform, AffineTruncatesAndRepeatsTheBorder) {
  const Image two{2, 1, 1, {10, 21}};
  // the middle of the four results of a doubling: 12.75 and 18.25, truncated
  EXPECT_EQ(affine(two, 1, 4, {0.5, 0, 0, 0, 1, 0}, Interpolation::bilinear).pixels,
            (std::vector<uint8_t>{10, 12, 18, 21}));
}

TEST(Transform, AffineTakesThreeFilters) {
  EXPECT_THROW((void)affine(numbers(), 2, 2, {1, 0, 0, 0, 1, 0}, Interpolation::lanczos), Error);
}

}  // namespace
}  // namespace saccade::image
