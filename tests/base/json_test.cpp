#include "saccade/base/json.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade {
namespace {

std::string refusal(std::string_view text, int depth = 64) {
  try {
    const auto json = parse_json(text, "x.json", depth);
    return "accepted: " + json.dump();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    return error.what();
  }
}

TEST(Json, ReadsEveryKindOfValueInOrder) {
  const auto json = parse_json(
      " {\"b\": [1, -2, 3.5, 1e2, true, false, null], \"a\": {\"\": "
      "\"\\u00e9\\ud83d\\ude00\\n\"}} ",
      "x.json");
  EXPECT_EQ(json.dump(), "{\"b\":[1,-2,3.5,100.0,true,false,null],\"a\":{\"\":\"é😀\\n\"}}");
  EXPECT_TRUE(json["b"][0].is_number_integer());
  EXPECT_EQ(parse_json("18446744073709551615", "x").get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(parse_json("-9223372036854775808", "x").get<int64_t>(), INT64_MIN);
  EXPECT_TRUE(parse_json("18446744073709551616", "x").is_number_float());
  EXPECT_EQ(parse_json("1e-400", "x").get<double>(), 0.0);
  EXPECT_EQ(parse_json("0.000e999", "x").get<double>(), 0.0);
  EXPECT_EQ(parse_json("[[],{},[{}]]", "x").dump(), "[[],{},[{}]]");
}

TEST(Json, RefusesWithTheByteOffset) {
  struct Row {
    std::string_view text, message;
  };
  const Row rows[] = {
      {"", "x.json: at byte 0: "},
      {"[1,]", "at byte 3: "},
      {"[,1]", "at byte 1: "},
      {"{\"a\":1,}", "at byte 7: "},
      {"{\"a\" 1}", "at byte 5: "},
      {"{a:1}", "at byte 1: "},
      {"{\"a\":}", "at byte 5: "},
      {"[1 2]", "at byte 3: "},
      {"[1}", "at byte 2: "},
      {"[1]]", "at byte 3: "},
      {"1 2", "at byte 2: "},
      {"01", "a leading zero"},
      {"-", "a value is expected"},
      {"+1", "at byte 0: "},
      {"1.", "a digit is expected"},
      {"1e", "a digit is expected"},
      {"1e400", "at byte 0: not valid JSON: the number is too large"},
      {".5", "at byte 0: "},
      {"NaN", "at byte 0: "},
      {"tru", "unknown word"},
      {"\"a", "does not end"},
      {"\"\\x\"", "unknown escape"},
      {"\"\\u12\"", "four hexadecimal digits"},
      {"\"\\u+123\"", "four hexadecimal digits"},
      {"\"\\ud800\"", "lone surrogate"},
      {"\"\\ud800\\u0041\"", "lone surrogate"},
      {"\"\\udc00\"", "lone surrogate"},
      {"\"\t\"", "control character"},
      {"\"\xff\"", "at byte 1: not valid JSON: the bytes are no UTF-8"},
      {"\xef\xbb\xbf{}", "at byte 0: "},
      {"{} // comment", "at byte 3: "},
      {std::string_view("{}\0", 3), "at byte 2: "},
      {"{\"a\":1,\"b\":2,\"a\":3}", "at byte 13: JSON key \"a\" twice"},
      {"{\"a\":1,\"\\u0061\":2}", "at byte 7: JSON key \"a\" twice"},
  };
  for (const auto& [text, message] : rows)
    EXPECT_NE(refusal(text).find(message), std::string::npos) << text << "\n" << refusal(text);
}

TEST(Json, DepthIsBounded) {
  EXPECT_EQ(refusal("[[[1]]]", 3), "accepted: [[[1]]]");
  EXPECT_NE(refusal("[[[[1]]]]", 3).find("at byte 3: JSON nested deeper than 3"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(1'000'000, '[')).find("nested deeper than 64"), std::string::npos);
}

TEST(Json, ManyKeysTakeLinearTime) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += fmt::format("\"key{}\":{},", i, i);
  text.back() = '}';
  EXPECT_EQ(parse_json(text, "x").size(), 200'000u);  // minutes if keys were compared pairwise
}

}  // namespace
}  // namespace saccade
