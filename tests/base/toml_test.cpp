#include "saccade/base/toml.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade::test {
namespace {

TEST(Toml, BecomesJson) {
  const Json json = parse_toml(
      "a = 1\nb = 2.5\nc = \"text\"\nd = true\ne = [1, [2, 3]]\nf = 2026-01-02\n"
      "g = 2026-01-02T03:04:05Z\n[t.u]\nx = -9223372036854775808\n[[l]]\ny = 1\n[[l]]\ny = 2\n",
      "run.toml");
  EXPECT_EQ(json, parse_json(R"({"a": 1, "b": 2.5, "c": "text", "d": true, "e": [1, [2, 3]],
      "f": "2026-01-02", "g": "2026-01-02T03:04:05Z", "l": [{"y": 1}, {"y": 2}],
      "t": {"u": {"x": -9223372036854775808}}})",
                             "expected"));
}

std::string error_of(std::string_view text) {
  try {
    (void)parse_toml(text, "run.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    return error.what();
  }
  return "none";
}

TEST(Toml, ErrorsSayLineAndColumn) {
  EXPECT_TRUE(error_of("a = 1\nb = = 2\n").starts_with("run.toml: line 2, column 5: "));
  EXPECT_TRUE(error_of("a = 1\na = 2\n").starts_with("run.toml: line 2, column "));
  EXPECT_TRUE(error_of("a = \"\xff\"\n").starts_with("run.toml: line 1, column "));
  EXPECT_TRUE(error_of("[a\n").starts_with("run.toml: line "));
}

TEST(Toml, DepthIsBounded) {
  const auto repeat = [](std::string_view part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  EXPECT_TRUE(error_of("a = " + repeat("[", 100000)).starts_with("run.toml: line 1, column "));
  EXPECT_TRUE(error_of("a = " + repeat("[", 70) + repeat("]", 70))
                  .starts_with("run.toml: line 1, column 69: nested deeper than 64"));
  const std::string long_key = "a" + repeat(".a", 1000000);
  EXPECT_TRUE(error_of("b = 1\n" + long_key + " = 1\n").starts_with("run.toml: line 2: a key of"));
  EXPECT_TRUE(error_of("[" + long_key + "]\n").starts_with("run.toml: line 1: a key of"));
  EXPECT_TRUE(
      error_of("[\"x\"" + repeat(".'a'", 100) + "]\n").starts_with("run.toml: line 1: a k"));
  EXPECT_TRUE(error_of(repeat("a.a.a = {", 300)).starts_with("run.toml: line 1, column "));
}

TEST(Toml, DotsElsewhereAreNoKeys) {
  const std::string dots(100, '.');
  EXPECT_EQ(parse_toml("a = \"" + dots + "\\\"\" # " + dots + "\nb = '" + dots + "'\n", "x").size(),
            2U);
  EXPECT_EQ(
      parse_toml("a = \"\"\"\n" + dots + "\\\"\n\"\"\"\nb = '''\n" + dots + "'''\n", "x").size(),
      2U);
  std::string list = "a = [";
  for (int i = 0; i < 100; ++i) list += "0.5, ";
  EXPECT_EQ(parse_toml(list + "]\n", "x")["a"].size(), 100U);
}

}  // namespace
}  // namespace saccade::test
