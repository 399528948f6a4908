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
  EXPECT_TRUE(error_of("a = " + std::string(100000, '[')).starts_with("run.toml: line 1, column "));
  std::string tables = "[a";
  for (int i = 0; i < 100000; ++i) tables += ".a";
  EXPECT_NE(error_of(tables + "]\n"), "");
}

}  // namespace
}  // namespace saccade::test
