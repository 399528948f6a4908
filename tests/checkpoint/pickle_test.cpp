// Pickles by hand. The corpus has many more; here are the ones that need large or odd streams.

#include <gtest/gtest.h>

#include <chrono>

#include "saccade/checkpoint/pickle/numbers.h"
#include "saccade/checkpoint/pickle/values.h"
#include "tests/checkpoint/made_files.h"

namespace saccade::checkpoint {
namespace {

using namespace std::string_literals;
using made::input_of, made::make_pth, made::refusal;

constexpr char kRebuild[] = "ctorch._utils\n_rebuild_tensor_v2\n";

/// A tensor over storage `key` of `count` floats; shape and strides as opcodes.
std::string tensor(const std::string& shape, const std::string& strides, int count = 6,
                   const std::string& offset = "K\0"s) {
  return kRebuild + "((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"s + "0X\3\0\0\0cpuK"s +
         static_cast<char>(count) + "tQ" + offset + shape + strides + "\x89" +
         "ccollections\nOrderedDict\n)RtR";
}

std::string text(const std::string& value) {
  const auto size = static_cast<uint32_t>(value.size());
  return "X" + std::string(reinterpret_cast<const char*>(&size), 4) + value;
}

Contents read(const std::string& pickle,
              const std::vector<std::string>& storages = {std::string(24, 'x')}) {
  static std::string bytes;
  bytes = make_pth("\x80\2" + pickle + ".", storages);
  auto contents = read_pth(input_of(bytes, "made.pth"));
  check_total_size(contents.entries, input_of(bytes, "made.pth"));
  return contents;
}

std::string refused(const std::string& pickle) {
  return refusal([&] { static_cast<void>(read(pickle)); });
}

std::string repeat(const std::string& piece, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += piece;
  return out;
}

TEST(Pickle, NumbersOfAnyLength) {
  using pickle::decimal;
  EXPECT_EQ(decimal(""), "0");
  EXPECT_EQ(decimal("\0\0"s), "0");
  EXPECT_EQ(decimal("\xff"), "-1");
  EXPECT_EQ(decimal("\0\0\0\0\0\0\0\0\1"s), "18446744073709551616");
  EXPECT_EQ(decimal("\0\0\0\0\0\0\0\0\xff"s), "-18446744073709551616");
  EXPECT_EQ(decimal("\0\xca\x9a\x3b"s), "1000000000");
  EXPECT_EQ(pickle::unquote("'a\\x41\\n\\101\\\\'"), "aA\nA\\");
  EXPECT_FALSE(pickle::unquote("'a\\q'"));
  EXPECT_FALSE(pickle::unquote("'a"));
  EXPECT_EQ(pickle::raw_unicode("a\\u00e9\xe9"), "aéé");
  EXPECT_FALSE(pickle::raw_unicode("\\u00g0"));
}

TEST(Pickle, TextOpcodesOfProtocolZero) {
  const auto contents = read(
      "(dp0\nS'int'\np1\nI7\nsVb\\u00e9\nI01\nsS'f'\nF2.5\nsS'l'\nL123456789012345678901L\ns"
      "S't'\n" +
      tensor("K\6\x85", "K\1\x85") + "s");
  EXPECT_EQ(contents.metadata.dump(),
            "{\"int\":7,\"bé\":true,\"f\":2.5,\"l\":{\"int\":\"123456789012345678901\"}}");
  ASSERT_EQ(contents.entries.size(), 1u);
  EXPECT_EQ(contents.entries[0].path, "t");
}

TEST(Pickle, KeysAreWrittenAsPythonsRepr) {
  const auto contents =
      read("}(G\x3f\xf0\0\0\0\0\0\0N"s + "G\x44\xb5\x2d\x02\xc7\xe1\x4a\xf6N"s +
           "G\x3e\xe4\xf8\xb5\x88\xe3\x68\xf1N"s + text("it's") + "\x85N" + "C\3a\0'N"s + "\x88Nu");
  std::vector<std::string> keys;
  for (const auto& [key, value] : contents.metadata.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"1.0", "1e+23", "1e-05", "(\"it's\",)", "b\"a\\x00'\"",
                                            "True"}));
}

TEST(Pickle, ViewsOutsideTheirStorageAreRefused) {
  EXPECT_EQ(refused(tensor("K\6\x85", "K\1\x85")), "accepted");
  EXPECT_EQ(refused(tensor("K\2K\2\x86", "K\0K\5\x86"s)), "accepted");
  for (const auto& bad :
       {tensor("K\7\x85", "K\1\x85"), tensor("K\2\x85", "K\6\x85"),
        tensor("K\6\x85", "K\1\x85", 6, "K\1"), tensor("K\6\x85", "J\xff\xff\xff\xff\x85"),
        tensor("J\xff\xff\xff\xff\x85", "K\1\x85"), tensor("K\6\x85", "K\1\x85", 7),
        tensor("K\2\x85", "\x8a\x08\0\0\0\0\0\0\0\x40\x85"s),
        tensor("\x8a\x08\0\0\0\0\0\0\0\x40K\4K\0\x87"s, "K\1K\1K\1\x87"),
        tensor("K\6\x85", "K\1\x85", 6, "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s)})
    EXPECT_NE(refused(bad), "accepted");
}

TEST(Pickle, ExpandedTensorsDoNotMultiplyTheFile) {
  // 2^20 and 2^40 elements of one float.
  EXPECT_EQ(refused(tensor("J\0\0\x10\0\x85"s, "K\0\x85"s)), "accepted");
  EXPECT_NE(refused(tensor("\x8a\x06\0\0\0\0\0\1\x85"s, "K\0\x85"s)).find("repeats the bytes"),
            std::string::npos);
  // Many small ones that are large together.
  const auto many = "](" + repeat(tensor("J\0\0\x10\0\x85"s, "K\0\x85"s), 40) + "e";
  EXPECT_NE(refused(many).find("repeats the bytes"), std::string::npos);
}

TEST(Pickle, StreamsThatGrowAreRefusedInTime) {
  const auto start = std::chrono::steady_clock::now();
  std::string laughs = "]q\0N"s + "a";
  for (char i = 1; i < 60; ++i)
    laughs += "]q"s + i + "h" + static_cast<char>(i - 1) + "ah" + static_cast<char>(i - 1) + "a";
  const auto key = text(std::string(5000, 'k'));
  const std::string many_long_keys = "}q\0("s + key + "q\1N" + repeat("h\1N", 6000) + "u";
  const std::string nested_long_keys =
      key + "q\1" + "0" + repeat("}h\1", 400) + "N" + repeat("s", 400);
  const std::string wide_tuples = "(" + repeat("N", 3000) + "tq\1" + "0]q\2(" +
                                  repeat("h\1", 3000) + "e" + "0cbuiltins\nset\nq\3" + "0](" +
                                  repeat("h\3h\2\x85R", 500) + "e";
  const std::string latin1 = text(std::string(10'000, 'a')) + "q\1" + "0c_codecs\nencode\nq\2" +
                             "0](" + repeat("h\2h\1" + text("latin1") + "\x86R", 5000) + "e";
  const std::string empty_lists = "](" + repeat("]", 2'000'000) + "e";
  for (const auto& stream : {laughs, many_long_keys, nested_long_keys, wide_tuples, latin1,
                             empty_lists, repeat("(", 100'000), repeat("]", 100'000)})
    EXPECT_EQ(refused(stream).find("another error"), std::string::npos) << refused(stream);
  EXPECT_NE(refused(laughs), "accepted");
  EXPECT_NE(refused(empty_lists), "accepted");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 30.0);  // under sanitizers; a tenth of it without
}

TEST(Pickle, ContainersInsideThemselvesEnd) {
  const auto contents =
      read("}q\0("s + text("self") + "h\0"s + text("t") + tensor("K\6\x85", "K\1\x85") + "u");
  ASSERT_EQ(contents.entries.size(), 1u);
  EXPECT_EQ(contents.entries[0].path, "t");
}

TEST(Pickle, UnknownClassesAreOpaqueUnlessTheyAreDictionaries) {
  const std::string cls = "cmy.package\nThing\n";
  const auto opaque =
      read("}(" + text("o") + cls + ")\x81}" + text("t") + tensor("K\6\x85", "K\1\x85") + "sb" +
           text("t") + tensor("K\6\x85", "K\1\x85") + "u");
  ASSERT_EQ(opaque.entries.size(), 1u);
  EXPECT_EQ(opaque.entries[0].path, "t");
  const auto subclass =
      read("}(" + text("o") + cls + ")\x81" + text("t") + tensor("K\6\x85", "K\1\x85") + "su");
  ASSERT_EQ(subclass.entries.size(), 1u);
  EXPECT_EQ(subclass.entries[0].path, "o.t");
  EXPECT_NE(refused(cls + ")R").find("my.package.Thing"), std::string::npos);
}

TEST(Pickle, ConjugatedViewsAreResolved) {
  const float values[] = {1, 2, 3, 4};
  const std::string storage(reinterpret_cast<const char*>(values), sizeof values);
  const std::string pickle =
      kRebuild + "((X\7\0\0\0storagectorch\nComplexFloatStorage\nX\1\0\0\0"s +
      "0X\3\0\0\0cpuK\2tQK\0K\2\x85"s + "K\1\x85\x89N}" + text("conj") + "\x88stR";
  const auto contents = read(pickle, {storage});
  ASSERT_EQ(contents.entries.size(), 1u);
  const auto copy = contiguous(contents.entries[0].view);
  float resolved[4];
  std::memcpy(resolved, copy.bytes().data(), sizeof resolved);
  EXPECT_EQ(resolved[0], 1);
  EXPECT_EQ(resolved[1], -2);
  EXPECT_EQ(resolved[2], 3);
  EXPECT_EQ(resolved[3], -4);
}

}  // namespace
}  // namespace saccade::checkpoint
