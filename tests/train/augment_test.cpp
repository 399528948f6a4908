#include <set>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/train/augment/transform.h"
#include "saccade/train/mixup.h"

namespace saccade::train {
namespace {

image::Image noise(int64_t height, int64_t width) {
  image::Image picture{width, height, 3, {}};
  Random random(1, 2, 3, "noise");
  for (int64_t i = 0; i < 3 * height * width; ++i)
    picture.pixels.push_back(static_cast<uint8_t>(random.below(256)));
  return picture;
}

Pipeline pipeline(int64_t size) {
  Pipeline p;
  p.resize = ResizeRule::exact;
  p.resize_height = p.resize_width = p.crop_height = p.crop_width = size;
  return p;
}

TEST(TrainTransform, IsAFunctionOfItsKey) {
  TransformConfig config;
  config.auto_augment = parse_auto_augment("rand-m9-mstd0.5-inc1");
  config.erase.probability = 0.5;
  for (const auto crop : {TrainCrop::none, TrainCrop::pad, TrainCrop::resized}) {
    config.crop = crop;
    const TrainTransform transform(config, pipeline(24));
    std::set<std::vector<float>> results;
    for (uint64_t sample = 0; sample < 20; ++sample) {
      const auto values = transform(noise(24, 24), Random(0, 0, sample, "augment"), "picture");
      EXPECT_EQ(values.size(), 3u * 24 * 24);
      EXPECT_EQ(values, transform(noise(24, 24), Random(0, 0, sample, "augment"), "picture"));
      results.insert(values);
    }
    EXPECT_GT(results.size(), 10u);
  }
}

TEST(TrainTransform, ResizedCropsTakePicturesOfAnySize) {
  TransformConfig config;
  config.crop = TrainCrop::resized;
  const TrainTransform transform(config, pipeline(16));
  for (const auto [height, width] : {std::pair(1, 1), {3, 90}, {90, 3}, {16, 16}, {100, 80}})
    EXPECT_EQ(transform(noise(height, width), Random(0, 0, 0, "augment"), "x").size(), 768u);
}

TEST(TrainTransform, PaddedCropNamesThePictureThatHasAnotherSize) {
  TransformConfig config;
  config.crop = TrainCrop::pad;
  const TrainTransform transform(config, pipeline(32));
  try {
    (void)transform(noise(31, 32), Random(0, 0, 0, "augment"), "cats/7.png");
    FAIL() << "was not refused";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("cats/7.png"), std::string::npos);
  }
}

TEST(AutoAugment, EveryOperationWorksAtEveryLevelOnPicturesOfEverySize) {
  for (const auto op : augment_op_names())
    for (const auto [height, width] : {std::pair(1, 1), {2, 5}, {17, 9}})
      for (const double level : {0.0, 3.7, 10.0, 30.0})
        for (const bool negate : {false, true}) {
          const auto out =
              apply_augment_op(op, noise(height, width), level_to_arg(op, level, negate),
                               Interpolation::bicubic, {128, 128, 128});
          EXPECT_EQ(out.height, height) << op;
          EXPECT_EQ(out.width, width) << op;
        }
}

TEST(AutoAugment, RefusesUnknownSections) {
  for (const char* text : {"", "rend", "rand-x3", "rand-m", "rand-m9x", "original-m3", "rand-w0"}) {
    if (std::string(text) == "rand-m") continue;  // no digits: ignored, as timm does
    EXPECT_THROW((void)parse_auto_augment(text), Error) << text;
  }
  EXPECT_THROW((void)parse_auto_augment("rand-n4-t3aw-m1e"), Error);
}

TEST(AutoAugment, WeightedChoiceTakesNoOperationTwice) {
  auto config = parse_auto_augment("rand-tweights-n15-p1");
  EXPECT_EQ(config.weights.size(), 15u);
  Random random(0, 0, 0, "test");
  (void)auto_augment(config, noise(8, 8), random, {});
  EXPECT_THROW((void)parse_auto_augment("rand-tweights-n16"), Error);
}

TEST(Mixup, DrawsAreWithinBoundsAndLambdaIsTheBoxs) {
  for (const auto mode : {MixupMode::batch, MixupMode::pair, MixupMode::elem})
    for (const bool minmax : {false, true}) {
      MixupConfig config{.mixup_alpha = 0.8, .cutmix_alpha = 1.0, .prob = 0.9, .mode = mode};
      if (minmax) config.cutmix_minmax = {0.3, 0.8};
      int64_t cut = 0, mixed = 0, plain = 0;
      for (uint64_t i = 0; i < 100; ++i) {
        Random random(0, 0, i, "mixup");
        for (const auto& draw : draw_mixup(config, 8, 20, 30, random)) {
          ASSERT_GE(draw.lam, 0.0);
          ASSERT_LE(draw.lam, 1.0);
          ASSERT_LE(draw.box.yh, 20);
          ASSERT_LE(draw.box.xh, 30);
          if (draw.use_cutmix) {
            ASSERT_EQ(draw.lam, box_lam(draw.box, 20, 30));
          }
          ++(draw.use_cutmix ? cut : draw.lam == 1.0 ? plain : mixed);
        }
      }
      EXPECT_GT(cut, 20);
      EXPECT_GT(mixed, 20);
      EXPECT_GT(plain, 0);
    }
}

TEST(Mixup, TargetsSumToOneAndPicturesAreConvexCombinations) {
  MixupConfig config{.mixup_alpha = 0.8, .mode = MixupMode::pair};
  Random random(3, 0, 0, "mixup");
  auto images = torch::stack({torch::zeros({3, 4, 4}), torch::ones({3, 4, 4})});
  const auto draws = draw_mixup(config, 2, 4, 4, random);
  const auto targets = apply_mixup(config, draws, images, torch::tensor({0, 2}), 3);
  EXPECT_TRUE(targets.sum(1).allclose(torch::ones({2})));
  EXPECT_NEAR(images[0].mean().item<double>(), 1.0 - draws[0].lam, 1e-6);
  EXPECT_NEAR(images[1].mean().item<double>(), draws[0].lam, 1e-6);
}

}  // namespace
}  // namespace saccade::train
