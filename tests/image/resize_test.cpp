#include "saccade/image/resize.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "saccade/base/error.h"
#include "saccade/base/thread_pool.h"
#include "saccade/image/filter/kernels.h"
#include "saccade/image/transform.h"
#include "tests/image/pictures.h"

namespace saccade::image {
namespace {

using test::noise;

constexpr Interpolation kFilters[] = {Interpolation::nearest,  Interpolation::box,
                                      Interpolation::bilinear, Interpolation::hamming,
                                      Interpolation::bicubic,  Interpolation::lanczos};

/// Both passes as Pillow writes them: one sample at a time.
Image reference_pass(const Image& from, const FilterWeights& weights, bool horizontal) {
  const auto fixed = weights.fixed_point();
  const auto size = static_cast<int64_t>(weights.taps.size());
  Image to =
      horizontal ? blank(from.height, size, from.channels) : blank(size, from.width, from.channels);
  for (int64_t y = 0; y < to.height; ++y)
    for (int64_t x = 0; x < to.width; ++x)
      for (int64_t c = 0; c < to.channels; ++c) {
        const auto& taps = weights.taps[horizontal ? x : y];
        int64_t sum = 1 << (kFixedPointBits - 1);
        for (int64_t k = 0; k < taps.count; ++k) {
          const int64_t at = taps.first + k;
          const uint8_t* pixel =
              horizontal ? from.row(y) + at * from.channels : from.row(at) + x * from.channels;
          sum += int64_t{pixel[c]} * fixed[taps.weight + k];
        }
        to.row(y)[x * to.channels + c] =
            static_cast<uint8_t>(std::clamp<int64_t>(sum >> kFixedPointBits, 0, 255));
      }
  return to;
}

Image reference_resize(const Image& from, int64_t height, int64_t width, Interpolation filter,
                       bool vertical_first) {
  const auto columns =
      filter_weights(filter, from.width, 0, static_cast<float>(from.width), width, 0, width);
  const auto rows =
      filter_weights(filter, from.height, 0, static_cast<float>(from.height), height, 0, height);
  return vertical_first ? reference_pass(reference_pass(from, rows, false), columns, true)
                        : reference_pass(reference_pass(from, columns, true), rows, false);
}

TEST(Resize, EqualsThePlainLoops) {
  for (const int64_t channels : {1, 3})
    for (const auto filter : kFilters) {
      if (filter == Interpolation::nearest) continue;
      for (const auto& [height, width] : {std::pair<int64_t, int64_t>{9, 13}, {70, 41}, {200, 7}}) {
        const Image from = noise(61, 83, channels);
        const bool tall = vertical_first(61, 83, {height, width, filter, {}, {}, {}});
        EXPECT_EQ(resize(from, height, width, filter).pixels,
                  reference_resize(from, height, width, filter, tall).pixels)
            << name(filter) << " " << channels << " " << height << "x" << width;
      }
    }
}

TEST(Resize, TallPicturesAreFilteredVerticallyFirst) {
  const Image tall = noise(120, 20, 3);
  const ResizeRequest request{10, 15, Interpolation::bicubic, {}, {}, {}};
  ASSERT_TRUE(vertical_first(tall.height, tall.width, request));
  EXPECT_EQ(resize(tall, request).pixels,
            reference_resize(tall, 10, 15, Interpolation::bicubic, true).pixels);
  ResizeRequest old = request;
  old.rules = PillowRules::v12;
  EXPECT_EQ(resize(tall, old).pixels,
            reference_resize(tall, 10, 15, Interpolation::bicubic, false).pixels);
  EXPECT_NE(resize(tall, old).pixels, resize(tall, request).pixels);
}

TEST(Resize, AnyNumberOfThreadsGivesTheSameBits) {
  const Image from = noise(211, 157, 3);
  const ResizeRequest wide{64, 96, Interpolation::lanczos, {}, {}, {}};
  const ResizeRequest tall{20, 150, Interpolation::bicubic, {}, {}, {}};
  set_thread_count(1);
  const auto first = resize(from, wide).pixels, second = resize(from, tall).pixels;
  for (const int threads : {2, 3, 5}) {
    set_thread_count(threads);
    EXPECT_EQ(resize(from, wide).pixels, first) << threads;
    EXPECT_EQ(resize(from, tall).pixels, second) << threads;
  }
  set_thread_count(0);
}

TEST(Resize, AWindowIsThatPartOfTheWhole) {
  for (const int64_t channels : {1, 2, 3, 4})
    for (const auto filter : kFilters) {
      const Image from = noise(50, 40, channels);
      ResizeRequest request{33, 47, filter, Box{1.25f, 2, 38.5f, 49}, {}, {}};
      const Image whole = resize(from, request);
      request.window = Window{5, 7, 20, 31};
      EXPECT_EQ(resize(from, request).pixels, crop(whole, 5, 7, 20, 31).pixels)
          << name(filter) << " " << channels;
    }
}

TEST(Resize, OnePixelAndOneColour) {
  const Image pixel = noise(1, 1, 3);
  for (const auto filter : kFilters) {
    const Image large = resize(pixel, 3, 5, filter);
    for (int64_t i = 0; i < 15; ++i)
      for (int64_t c = 0; c < 3; ++c) EXPECT_EQ(large.pixels[3 * i + c], pixel.pixels[c]);
  }
  Image white = blank(300, 300, 3);
  std::ranges::fill(white.pixels, uint8_t{255});
  for (const auto filter : kFilters)
    EXPECT_EQ(resize(white, 7, 11, filter).pixels, std::vector<uint8_t>(7 * 11 * 3, 255));
}

TEST(Resize, TransparentPixelsGiveNoColour) {
  Image picture = blank(2, 2, 4);
  picture.pixels = {255, 0, 0, 255, 0, 255, 0, 0, 255, 0, 0, 255, 0, 255, 0, 0};
  const Image one = resize(picture, 1, 1, Interpolation::box);
  EXPECT_EQ(one.pixels, (std::vector<uint8_t>{255, 0, 0, 128}));
}

TEST(Resize, SaysWhatIsWrongWithTheRequest) {
  const Image picture = noise(4, 6, 3);
  const auto kind_of = [&](const ResizeRequest& request) {
    try {
      (void)resize(picture, request);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::failed_check;
  };
  EXPECT_EQ(kind_of({0, 3, Interpolation::box, {}, {}, {}}), ErrorKind::usage);
  EXPECT_EQ(kind_of({3, -1, Interpolation::box, {}, {}, {}}), ErrorKind::usage);
  for (const Box& box : {Box{-1, 0, 6, 4}, Box{0, 0, 6.5f, 4}, Box{0, 3, 6, 2}, Box{0, 0, 6, 5}})
    EXPECT_EQ(kind_of({2, 2, Interpolation::box, box, {}, {}}), ErrorKind::usage);
}

/// Every instruction set that this processor has, by the plain loops.
TEST(Resize, EveryTargetGivesTheSameBits) {
  const Image wide = noise(31, 150, 3), tall = noise(150, 31, 4);
  const Image opaque = crop(tall, 0, 0, 150, 31);
  const ResizeRequest narrow{31, 40, Interpolation::lanczos, {}, {}, {}};
  const ResizeRequest low{40, 31, Interpolation::bicubic, {}, {}, {}};
  const auto first = resize(wide, narrow).pixels, second = resize(opaque, low).pixels;
  const int64_t all = hwy::SupportedTargets();
  std::string names;
  for (int64_t rest = all; rest != 0; rest &= rest - 1) {
    hwy::SetSupportedTargetsForTest(rest & -rest);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    names += std::string(vector_target()) + " ";
    EXPECT_EQ(resize(wide, narrow).pixels, first) << vector_target();
    EXPECT_EQ(resize(opaque, low).pixels, second) << vector_target();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  RecordProperty("targets", names);
}

}  // namespace
}  // namespace saccade::image
