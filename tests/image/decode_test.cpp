#include "saccade/image/decode.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/base/json.h"
#include "saccade/image/encode.h"
#include "tests/image/pictures.h"
#include "tests/support/run.h"

namespace saccade::image {
namespace {

using test::file_bytes;
using test::golden_file;
using test::noise;
using Bytes = std::vector<std::byte>;

/// The message of the refusal; "" if the bytes are accepted.
std::string refusal(std::span<const std::byte> bytes, const DecodeOptions& options = {}) {
  try {
    (void)decode(bytes, options, "picture.bin");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input) << error.what();
    return error.what();
  }
  return "";
}

TEST(Decode, PngGivesBackWhatWasWritten) {
  for (const int64_t channels : {1, 2, 3, 4}) {
    const Image picture = noise(13, 17, channels);
    const Image read = decode(encode_png(picture), {}, "png");
    ASSERT_EQ(read.channels, 3);
    for (int64_t i = 0; i < 13 * 17; ++i)
      for (int64_t c = 0; c < 3; ++c)
        ASSERT_EQ(read.pixels[3 * i + c], picture.pixels[channels * i + (channels > 2 ? c : 0)]);
  }
}

TEST(Decode, JpegComesNearToWhatWasWritten) {
  Image picture = blank(40, 56, 3);
  for (int64_t y = 0; y < 40; ++y)
    for (int64_t x = 0; x < 56; ++x)
      for (int64_t c = 0; c < 3; ++c)
        picture.row(y)[3 * x + c] = static_cast<uint8_t>(2 * x + y + 20 * c);
  const Image read = decode(encode_jpeg(picture, 95), {}, "jpeg");
  for (size_t i = 0; i < picture.pixels.size(); ++i)
    ASSERT_NEAR(read.pixels[i], picture.pixels[i], 8) << i;
}

TEST(Decode, RowsComeInAnyPortions) {
  for (const char* name : {"decode/files/j_420.jpg", "decode/files/j_prog_440.jpg",
                           "decode/files/p_gray2_adam7.png", "decode/files/p_gray16_low.png"}) {
    const Bytes bytes = file_bytes(golden_file(name));
    const Image whole = decode(bytes, {}, name);
    const auto reader = open_rows(bytes, {}, name);
    Image parts = blank(reader->height(), reader->width(), 3);
    for (int64_t y = 0, rows = 1; y < parts.height; y += rows, rows = 7) {
      rows = std::min(rows, parts.height - y);
      reader->read(parts.row(y), rows);
    }
    EXPECT_EQ(parts.pixels, whole.pixels) << name;
  }
}

TEST(Decode, ProbeSaysWhatTheHeaderSays) {
  const auto jpeg = probe(file_bytes(golden_file("decode/files/j_ycck_420.jpg")), "jpeg");
  EXPECT_EQ(jpeg.format, "jpeg");
  EXPECT_EQ(jpeg.width, 97);
  EXPECT_EQ(jpeg.height, 71);
  EXPECT_EQ(jpeg.channels, 4);
  const auto png = probe(file_bytes(golden_file("decode/files/p_gray16_low.png")), "png");
  EXPECT_EQ(png.format, "png");
  EXPECT_EQ(png.channels, 1);
  EXPECT_EQ(png.bit_depth, 16);
}

TEST(Decode, OrientationIsAppliedOnRequest) {
  const Bytes bytes = file_bytes(golden_file("decode/files/j_exif6.jpg"));
  DecodeOptions turned;
  turned.apply_exif_orientation = true;
  EXPECT_EQ(decode(bytes, {}, "jpeg").width, 64);
  EXPECT_EQ(decode(bytes, turned, "jpeg").width, 48);
}

TEST(Decode, EveryCutIsRefused) {
  for (const char* name : {"decode/files/j_17x16.jpg", "decode/files/p_stored.png"}) {
    const Bytes bytes = file_bytes(golden_file(name));
    ASSERT_EQ(refusal(bytes), "");
    for (size_t length = 0; length + 2 < bytes.size(); ++length)
      ASSERT_NE(refusal(std::span(bytes).first(length)), "") << name << " cut after " << length;
  }
}

TEST(Decode, RefusalsNameFilePlaceAndReason) {
  Bytes png = encode_png(noise(8, 8, 3));
  png[29] ^= std::byte{1};  // the checksum of the header
  EXPECT_EQ(refusal(png), "picture.bin: at byte 33: broken PNG: IHDR: CRC error");
  EXPECT_EQ(refusal({}), "picture.bin: at byte 0: the file is empty");
  const Bytes text(100, std::byte{'x'});
  EXPECT_EQ(refusal(text),
            "picture.bin: at byte 0: not a picture that Saccade reads (JPEG or PNG)");
}

TEST(Decode, ThePixelBudgetComesFirst) {
  DecodeOptions small;
  small.max_pixels = 99;
  EXPECT_NE(refusal(encode_png(noise(10, 10, 1)), small).find("exceed the budget of 99"),
            std::string::npos);
  EXPECT_NE(refusal(encode_jpeg(noise(10, 10, 1)), small).find("exceed the budget of 99"),
            std::string::npos);
  small.max_pixels = 100;
  EXPECT_EQ(refusal(encode_png(noise(10, 10, 1)), small), "");
}

/// A progressive file of many scans: each costs a pass over the picture.
TEST(Decode, TheWorkOfScansIsBounded) {
  Bytes bytes = file_bytes(golden_file("decode/files/j_prog_440.jpg"));
  size_t scan = 0, next = 0;  // the first scan, header and data
  for (size_t i = 2; i + 1 < bytes.size(); ++i) {
    if (bytes[i] != std::byte{0xFF} || bytes[i + 1] != std::byte{0xDA}) continue;
    if (scan == 0) {
      scan = i;
    } else {
      next = i;
      break;
    }
  }
  ASSERT_GT(next, scan);
  const Bytes one(bytes.begin() + static_cast<std::ptrdiff_t>(scan),
                  bytes.begin() + static_cast<std::ptrdiff_t>(next));
  const int64_t scans = 1'000'000'000 / (97 * 71) + 1;
  Bytes bomb(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(scan));
  bomb.reserve(bomb.size() + one.size() * static_cast<size_t>(scans));
  const std::array<std::byte, 10> empty_scan{
      std::byte{0xFF}, std::byte{0xDA}, std::byte{0}, std::byte{8}, std::byte{1},
      std::byte{1},    std::byte{0},    std::byte{1}, std::byte{1}, std::byte{0}};
  for (int64_t i = 0; i < scans; ++i) bomb.insert(bomb.end(), empty_scan.begin(), empty_scan.end());
  EXPECT_NE(refusal(bomb).find("exceed the work allowed"), std::string::npos) << refusal(bomb);
}

/// The corpus beside the golden cases, where it is at hand.
TEST(Decode, MalformedCorpus) {
  const char* shared = std::getenv("SACCADE_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "SACCADE_SHARED is not set";
  const auto folder = std::filesystem::path(shared) / "golden" / "formats" / "bad";
  const Json manifest = read_json(folder / "manifest.json");
  int64_t checked = 0;
  for (const Json& entry : manifest.at("cases")) {
    const auto file = entry.at("file").get<std::string>();
    const auto expect = entry.at("expect").get<std::string>();
    if (!file.starts_with("image/")) continue;
    const std::string message = refusal(file_bytes(folder / file));
    if (expect == "refuse") {
      EXPECT_NE(message, "") << file;
      EXPECT_NE(message.find("at byte"), std::string::npos) << file << " " << message;
    }
    if (expect == "accept") {
      EXPECT_EQ(message, "") << file;
    }
    ++checked;
  }
  EXPECT_GT(checked, 100);
}

TEST(Pictures, AllGoldenCases) {
  const char* shared = std::getenv("SACCADE_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "SACCADE_SHARED is not set";
  const auto program = std::filesystem::path(SACCADE_BIN) / "saccade-golden";
  if (!std::filesystem::exists(program)) GTEST_SKIP() << "saccade-golden is not built";
  const auto folder = std::filesystem::path(shared) / "golden" / "preprocess";
  const auto result = saccade::test::run(program, {folder.string()});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace saccade::image
