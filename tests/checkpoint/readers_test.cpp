// safetensors, npy, npz and shards: what the corpus does not have because it is large or odd.

#include <gtest/gtest.h>

#include <cstring>

#include "saccade/checkpoint/checkpoint.h"
#include "saccade/checkpoint/common/shapes.h"
#include "saccade/checkpoint/npy_reader.h"
#include "saccade/checkpoint/row_major.h"
#include "saccade/checkpoint/writer.h"
#include "tests/checkpoint/made_files.h"
#include "tests/support/run.h"

namespace saccade::checkpoint {
namespace {

using namespace std::string_literals;
using made::input_of, made::make_safetensors, made::make_zip, made::refusal;

std::string safetensors(const std::string& header, size_t data = 0) {
  const auto bytes = make_safetensors(header, data);
  return refusal([&] { static_cast<void>(read_safetensors(input_of(bytes))); });
}

TEST(Shapes, SizesInBytesNeverWrap) {
  const int64_t large = int64_t{1} << 62;
  EXPECT_EQ(byte_size(DType::F32, Shape{2, 3}), 24);
  EXPECT_EQ(byte_size(DType::F32, Shape{}), 4);
  EXPECT_EQ(byte_size(DType::F32, Shape{0, 3}), 0);
  EXPECT_EQ(byte_size(DType::F4, Shape{3, 2}), 3);
  EXPECT_FALSE(byte_size(DType::F4, Shape{3}));
  EXPECT_FALSE(byte_size(DType::F32, Shape{-1}));
  EXPECT_FALSE(byte_size(DType::U8, Shape{large}));  // bits overflow
  EXPECT_FALSE(byte_size(DType::F32, Shape{large, 4, 0}));
  EXPECT_FALSE(byte_size(DType::F32, Shape{0, large, 4}));
}

TEST(RowMajor, EqualsTheContiguousCopy) {
  std::vector<uint16_t> numbers(70'000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<uint16_t>(i);
  const auto bytes = std::as_bytes(std::span(numbers));
  const TensorView views[] = {{DType::U16, {200, 300}, {300, 1}, bytes},
                              {DType::U16, {300, 200}, {1, 300}, bytes},
                              {DType::U16, {10, 7, 5}, {0, 9, 1}, bytes},
                              {DType::U16, {4, 1, 3}, {2, 77, 0}, bytes},
                              {DType::U16, {2, 35'000}, {1, 1}, bytes},
                              {DType::U16, {3, 0, 2}, {1, 1, 1}, bytes},
                              {DType::U16, {}, {}, bytes}};
  for (const auto& view : views) {
    std::vector<std::byte> streamed;
    stream_row_major(view, [&](std::span<const std::byte> piece) {
      streamed.insert(streamed.end(), piece.begin(), piece.end());
    });
    const auto copy = contiguous(view);
    EXPECT_TRUE(std::ranges::equal(streamed, copy.bytes())) << to_string(view.shape);
  }
}

TEST(Safetensors, AHeaderOfManyEmptyTensorsStaysWithinItsShare) {
  std::string header = "{";
  for (int i = 0; i < 400'000; ++i)
    header += fmt::format("\"{}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}},", i);
  header.back() = '}';
  EXPECT_NE(safetensors(header).find("memory"), std::string::npos);
}

TEST(Safetensors, TheGrammarHasNoRoomForMore) {
  const std::string good = "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}";
  EXPECT_EQ(safetensors(good, 2), "accepted");
  EXPECT_NE(safetensors(good, 3), "accepted");
  for (const char* bad :
       {"{\"a\":{\"dtype\":\"U8\",\"shape\":[[2]],\"data_offsets\":[0,2]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2],\"x\":1}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2,2]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":{},\"data_offsets\":[0,2]}}",
        "{\"a\":{\"dtype\":[\"U8\"],\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"a\":{\"dtype\":\"C128\",\"shape\":[],\"data_offsets\":[0,16]}}",
        "{\"__metadata__\":{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}}",
        "{\"__metadata__\":{\"a\":[]}}", "{\"__metadata__\":[]}", "{\"a\":null}", "[]", "1",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2.0],\"data_offsets\":[0,2]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[-2],\"data_offsets\":[0,2]}}"})
    EXPECT_NE(safetensors(bad, 2), "accepted") << bad;
  // Half a byte too many: three values of four bits.
  EXPECT_NE(safetensors("{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2),
            "accepted");
}

std::string npy(const std::string& header, const std::string& data) {
  const auto size = static_cast<uint16_t>(header.size());
  return "\x93NUMPY\1\0"s + std::string(reinterpret_cast<const char*>(&size), 2) + header + data;
}

TEST(Npy, EveryCutAndEveryFlippedBitIsAnAnswer) {
  const auto good =
      npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }\n", "\0\1\0\2\0\3\0\4"s);
  const auto contents = read_npy(input_of(good, "a.npy"));
  const auto copy = contiguous(contents.entries[0].view);
  EXPECT_EQ(copy.as<int16_t>()[1], 3);  // columns first, big-endian
  for (size_t at = 0; at < good.size(); ++at) {
    const auto cut = good.substr(0, at);
    EXPECT_NE(refusal([&] { static_cast<void>(read_npy(input_of(cut))); }), "accepted") << at;
    for (int bit = 0; bit < 8; ++bit) {
      auto flipped = good;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const auto answer = refusal([&] { static_cast<void>(read_npy(input_of(flipped))); });
      EXPECT_EQ(answer.find("another error"), std::string::npos) << at << answer;
    }
  }
}

TEST(Npz, TextsAreLeftOutAndObjectsRefused) {
  const auto number = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "ab");
  const auto words = npy("{'descr': '<U3', 'fortran_order': False, 'shape': (1,)}", "abcdabcdabcd");
  const auto bytes = make_zip({{"w.npy", number}, {"labels.npy", words}});
  const auto contents = read_npz(input_of(bytes, "a.npz"));
  ASSERT_EQ(contents.entries.size(), 1u);
  ASSERT_EQ(contents.left_out.size(), 1u);
  EXPECT_EQ(contents.left_out[0].path, "labels");
  const auto objects =
      make_zip({{"o.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "x")}});
  EXPECT_NE(refusal([&] { static_cast<void>(read_npz(input_of(objects))); }).find("never read"),
            std::string::npos);
}

class Folders : public testing::Test {
 protected:
  void write_shard(const char* name, const char* tensor) const {
    const float value[] = {1.0f};
    write_safetensors(folder_.path() / name,
                      {{tensor, HostTensor::of<float>({1}, std::span<const float>(value))}});
  }
  test::TemporaryFolder folder_;
};

TEST_F(Folders, AFolderOpensItsCheckpoint) {
  EXPECT_NE(refusal([&] {
              static_cast<void>(Checkpoint::open(folder_.path()));
            }).find("neither model.safetensors"),
            std::string::npos);
  write_shard("s1.safetensors", "a");
  write_shard("s2.safetensors", "b");
  static_cast<void>(folder_.write(
      "custom.index.json", R"({"weight_map": {"b": "s2.safetensors", "a": "s1.safetensors"}})"));
  const auto sharded = Checkpoint::open(folder_.path());
  EXPECT_EQ(sharded.format(), "safetensors-sharded");
  ASSERT_EQ(sharded.entries().size(), 2u);
  EXPECT_EQ(sharded.entries()[0].path, "b");
  write_shard("model.safetensors", "whole");
  EXPECT_EQ(Checkpoint::open(folder_.path()).entries()[0].path, "whole");
}

TEST_F(Folders, TheNameOfAFileDecidesHowItIsRead) {
  write_shard("m.safetensors", "a");
  std::filesystem::copy(folder_.path() / "m.safetensors", folder_.path() / "m.pth");
  std::filesystem::copy(folder_.path() / "m.safetensors", folder_.path() / "m");
  EXPECT_EQ(Checkpoint::open(folder_.path() / "m").format(), "safetensors");
  EXPECT_NE(refusal([&] { static_cast<void>(Checkpoint::open(folder_.path() / "m.pth")); }),
            "accepted");
}

TEST_F(Folders, TensorsAreAlignedEvenWhereTheFileIsNot) {
  // A header of odd length leaves the data at an odd offset.
  const auto bytes =
      make_safetensors("{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]}}", 16);
  ASSERT_NE((bytes.size() - 16) % 8, 0u);
  const auto path = folder_.write("odd.safetensors", bytes);
  const auto state = Checkpoint::open(path).state_dict();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(state[0].second.bytes().data()) % 8, 0u);
  EXPECT_EQ(std::memcmp(state[0].second.bytes().data(), bytes.data() + bytes.size() - 16, 16), 0);
}

TEST_F(Folders, TwoTensorsOfOneNameHaveNoStateDict) {
  const auto bytes = make_safetensors(
      "{\"module.a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
      2);
  const auto checkpoint = Checkpoint::open(folder_.write("m.safetensors", bytes));
  EXPECT_EQ(checkpoint.entries().size(), 2u);
  EXPECT_NE(refusal([&] { static_cast<void>(checkpoint.state_dict()); }).find("\"a\""),
            std::string::npos);
}

}  // namespace
}  // namespace saccade::checkpoint
