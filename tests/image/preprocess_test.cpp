#include "saccade/image/preprocess.h"

#include <cstring>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/image/encode.h"
#include "saccade/image/resize.h"
#include "saccade/image/transform.h"
#include "tests/image/pictures.h"

namespace saccade::image {
namespace {

using test::file_bytes;
using test::golden_file;
using test::noise;

TEST(Preprocess, BandsGiveTheNumbersOfTheWholePicture) {
  for (const auto rule : {ResizeRule::none, ResizeRule::shorter_side, ResizeRule::cover,
                          ResizeRule::fit, ResizeRule::exact})
    for (const auto crop : {CropRule::none, CropRule::centre, CropRule::centre_floor})
      for (const auto& [height, width] : {std::pair<int64_t, int64_t>{200, 90}, {90, 200}}) {
        Pipeline p;
        p.resize = rule;
        p.resize_height = p.resize_width = 50;
        p.crop = crop;
        p.crop_height = 41;
        p.crop_width = 63;
        p.fill = {3, 2, 1};
        const auto file = encode_png(noise(height, width, 3));
        const auto bands = decode_and_preprocess(file, p, 1'000'000, "png");
        const auto whole = preprocess(decode(file, {}, "png"), p);
        ASSERT_EQ(bands.tensor.shape(), whole.shape());
        EXPECT_EQ(0, std::memcmp(bands.tensor.bytes().data(), whole.bytes().data(),
                                 whole.bytes().size()));
        EXPECT_EQ(output_size(p, height, width), std::pair(whole.shape()[1], whole.shape()[2]));
      }
}

TEST(Preprocess, ArithmeticOfBothReferences) {
  Image picture = blank(16, 16, 3);
  for (int i = 0; i < 256; ++i)
    for (int c = 0; c < 3; ++c) picture.pixels[3 * i + c] = static_cast<uint8_t>(i);
  Pipeline p;
  p.resize = ResizeRule::none;
  p.crop = CropRule::none;
  const auto timm = preprocess(picture, p);
  p.rescale_in_double = true;
  const auto huggingface = preprocess(picture, p);
  for (int i = 0; i < 256; ++i) {
    const auto mean = static_cast<float>(p.mean[0]), std = static_cast<float>(p.std[0]);
    EXPECT_EQ(timm.as<float>()[i], (static_cast<float>(i) / 255.0f - mean) / std);
    EXPECT_EQ(huggingface.as<float>()[i], (static_cast<float>(i * (1.0 / 255.0)) - mean) / std);
  }
  p.do_rescale = p.do_normalize = false;
  EXPECT_EQ(preprocess(picture, p).as<float>()[255], 255.0f);
}

/// Half a pixel: torchvision rounds to even, Hugging Face down; both pad the smaller half first,
/// torchvision, or the larger one, Hugging Face.
TEST(Preprocess, CropMargins) {
  Pipeline p;
  p.resize = ResizeRule::none;
  const auto offset = [&](CropRule rule, int64_t size, int64_t wanted) {
    p.crop = rule;
    p.crop_height = p.crop_width = wanted;
    const auto path = size_path(p, size, size, "test");
    EXPECT_EQ(path.top, path.left);
    return path.top;
  };
  EXPECT_EQ(offset(CropRule::centre, 13, 10), 2);  // 1.5
  EXPECT_EQ(offset(CropRule::centre, 15, 10), 2);  // 2.5
  EXPECT_EQ(offset(CropRule::centre_floor, 13, 10), 1);
  EXPECT_EQ(offset(CropRule::centre_floor, 15, 10), 2);
  EXPECT_EQ(offset(CropRule::centre, 10, 13), -1);
  EXPECT_EQ(offset(CropRule::centre_floor, 10, 13), -2);
}

TEST(Preprocess, PadsWithTheFillValue) {
  Pipeline p;
  p.resize = ResizeRule::none;
  p.crop_height = 3;
  p.crop_width = 4;
  p.fill = {10, 20, 30};
  p.do_rescale = p.do_normalize = false;
  const auto tensor = preprocess(noise(1, 2, 3), p);
  EXPECT_EQ(tensor.as<float>()[0], 10.0f);
  EXPECT_EQ(tensor.as<float>()[12], 20.0f);
  EXPECT_EQ(tensor.as<float>()[35], 30.0f);
}

TEST(Preprocess, ExifOrientationIsPartOfThePipeline) {
  const auto file = golden_file("decode/files/j_exif6.jpg");
  Pipeline p;
  p.resize = ResizeRule::none;
  p.crop = CropRule::none;
  EXPECT_EQ(read_and_preprocess(file, p).shape(), (Shape{3, 48, 64}));
  p.apply_exif_orientation = true;
  const auto turned = decode_and_preprocess(file_bytes(file), p, 1 << 20, "jpeg");
  EXPECT_EQ(turned.tensor.shape(), (Shape{3, 64, 48}));
  EXPECT_EQ(turned.height, 64);
}

TEST(Preprocess, ImpossibleSizesAreErrors) {
  Pipeline p;
  p.resize = ResizeRule::fit;  // 1 x 1000 into 5 x 5: no column is left
  p.resize_height = p.resize_width = 5;
  EXPECT_THROW((void)size_path(p, 1, 1000, "test"), Error);
  p.resize = ResizeRule::shorter_side;
  p.resize_height = p.resize_width = 65536;
  EXPECT_THROW((void)size_path(p, 1, 60000, "test"), Error);
}

TEST(Preprocess, VeryLongPicturesCostNoMemory) {
  Pipeline p;  // 2 x 60000 -> 256 x 7680000 -> 224 x 224: only the middle is computed
  const auto tensor = preprocess(noise(60'000, 2, 3), p);
  EXPECT_EQ(tensor.shape(), (Shape{3, 224, 224}));
}

}  // namespace
}  // namespace saccade::image
