#include "saccade/image/exif.h"

#include <vector>

#include <gtest/gtest.h>

namespace saccade::image {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

/// Little-endian, one entry: orientation, SHORT, 1 value.
Bytes little(int value) {
  return bytes({'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0});
}

TEST(Exif, BothByteOrders) {
  EXPECT_EQ(exif_orientation(little(6)), 6);
  EXPECT_EQ(exif_orientation(
                bytes({'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0})),
            8);
}

TEST(Exif, BrokenStructuresSayNothing) {
  const Bytes good = little(3);
  for (size_t length = 0; length < 20; ++length)
    EXPECT_EQ(exif_orientation(std::span(good).first(length)), std::nullopt) << length;
  Bytes far = good;
  far[4] = far[5] = far[6] = far[7] = std::byte{0xFF};  // the directory lies beyond the end
  EXPECT_EQ(exif_orientation(far), std::nullopt);
  Bytes text = good;
  text[12] = std::byte{2};  // ASCII
  EXPECT_EQ(exif_orientation(text), std::nullopt);
  EXPECT_EQ(exif_orientation(little(9)), std::nullopt);
}

TEST(Exif, XmpAsAttributeAndElement) {
  EXPECT_EQ(xmp_orientation("<rdf tiff:Orientation=\"6\"/>"), 6);
  EXPECT_EQ(xmp_orientation("<tiff:Orientation>8</tiff:Orientation>"), 8);
  EXPECT_EQ(xmp_orientation("<tiff:Orientation/> tiff:Orientation=\"3\""), 3);
  EXPECT_EQ(xmp_orientation("tiff:Orientation"), std::nullopt);
  EXPECT_EQ(xmp_orientation(""), std::nullopt);
}

}  // namespace
}  // namespace saccade::image
