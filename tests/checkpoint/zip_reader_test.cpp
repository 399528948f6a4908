#include "saccade/checkpoint/zip_reader.h"

#include <gtest/gtest.h>

#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/zip_format.h"
#include "tests/checkpoint/made_files.h"

namespace saccade::checkpoint {
namespace {

using made::input_of, made::make_zip, made::refusal;

std::string read_everything(const std::string& bytes) {
  return refusal([&] {
    Budget budget("made", bytes.size());
    const ZipArchive zip(input_of(bytes), budget);
    for (const auto& entry : zip.entries()) static_cast<void>(zip.read_verified(entry, budget));
  });
}

const std::string kArchive = make_zip({{"a/one", "first"}, {"a/two", "second"}, {"a/none", ""}});

template <class T>
void put(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

TEST(ZipReader, FindsWhatTheWriterWrote) {
  Budget budget("made", kArchive.size());
  const ZipArchive zip(input_of(kArchive), budget);
  ASSERT_EQ(zip.entries().size(), 3u);
  EXPECT_EQ(zip.entries()[1].name, "a/two");
  ASSERT_NE(zip.find("a/one"), nullptr);
  EXPECT_EQ(text_of(zip.read_verified(*zip.find("a/one"), budget).bytes), "first");
  EXPECT_EQ(zip.find("a/three"), nullptr);
}

TEST(ZipReader, EveryFlippedBitIsRefusedOrHarmless) {
  for (size_t at = 0; at < kArchive.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = kArchive;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      const auto message = read_everything(bytes);
      EXPECT_EQ(message.find("another error"), std::string::npos) << at << message;
    }
}

TEST(ZipReader, EveryCutIsRefused) {
  for (size_t size = 0; size < kArchive.size(); ++size)
    EXPECT_NE(read_everything(kArchive.substr(0, size)), "accepted") << size;
}

TEST(ZipReader, NamesThatLeaveTheArchiveAreRefused) {
  for (const char* name : {"../x", "a/../x", "/x", "a\\x", "C:x", "a//x", "./x", "a/.", "\xff"})
    EXPECT_NE(read_everything(make_zip({{name, "x"}})), "accepted") << name;
  EXPECT_NE(read_everything(make_zip({{std::string("a\0b", 3), "x"}})), "accepted");
  EXPECT_NE(read_everything(make_zip({{"a", "x"}, {"a", "x"}})), "accepted");
  EXPECT_EQ(read_everything(make_zip({{"folder/", ""}, {"folder/a", "x"}})), "accepted");
}

TEST(ZipReader, ADescriptorMustAgreeWithTheDirectory) {
  // One entry whose local header leaves crc and sizes to a descriptor behind the data.
  auto bytes = make_zip({{"a/one", "first"}});
  const auto directory = bytes.find("PK\1\2");
  for (const size_t at : {size_t{6}, directory + 8})
    put<uint16_t>(bytes, at, zip::kUtf8Flag | zip::kDescriptorFlag);
  const auto crc = load<uint32_t>(std::as_bytes(std::span(bytes)), 14);
  put<uint32_t>(bytes, 14, 0), put<uint64_t>(bytes, 18, 0);
  std::string descriptor = "PK\7\x08";
  const auto number = [&](uint32_t value) {
    descriptor.append(reinterpret_cast<const char*>(&value), 4);
  };
  number(crc), number(5), number(5);
  const auto with = [&](const std::string& record) {
    auto out = bytes.substr(0, directory) + record + bytes.substr(directory);
    const auto moved = static_cast<uint32_t>(directory + record.size());
    const auto end64 = out.find("PK\6\6");
    put<uint64_t>(out, end64 + 48, moved);
    put<uint64_t>(out, out.find("PK\6\7") + 8, end64);
    put<uint32_t>(out, out.find("PK\5\6") + 16, moved);
    return out;
  };
  EXPECT_EQ(read_everything(with(descriptor)), "accepted");
  EXPECT_EQ(read_everything(with("")), "accepted");  // a signature is optional
  for (size_t at = 4; at < descriptor.size(); ++at) {
    auto lie = descriptor;
    lie[at] = static_cast<char>(lie[at] + 1);
    EXPECT_NE(read_everything(with(lie)).find("descriptor"), std::string::npos) << at;
  }
}

}  // namespace
}  // namespace saccade::checkpoint
