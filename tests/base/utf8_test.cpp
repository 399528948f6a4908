#include "saccade/base/utf8.h"

#include <gtest/gtest.h>

namespace saccade {
namespace {

constexpr auto kValid = std::string_view::npos;

TEST(Utf8, FindsTheFirstByteThatIsNone) {
  EXPECT_EQ(find_invalid_utf8(""), kValid);
  EXPECT_EQ(find_invalid_utf8("abc é 模型 😀"), kValid);
  EXPECT_EQ(find_invalid_utf8("\xf4\x8f\xbf\xbf"), kValid);  // U+10FFFF
  EXPECT_EQ(find_invalid_utf8("ab\xff"), 2u);
  EXPECT_EQ(find_invalid_utf8("\x80"), 0u);
  EXPECT_EQ(find_invalid_utf8("a\xc0\xaf"), 1u);         // overlong
  EXPECT_EQ(find_invalid_utf8("\xe0\x9f\xbf"), 0u);      // overlong
  EXPECT_EQ(find_invalid_utf8("\xf0\x8f\xbf\xbf"), 0u);  // overlong
  EXPECT_EQ(find_invalid_utf8("\xf4\x90\x80\x80"), 0u);  // above U+10FFFF
  EXPECT_EQ(find_invalid_utf8("\xf5\x80\x80\x80"), 0u);
  EXPECT_EQ(find_invalid_utf8("\xe6\xa8"), 0u);      // cut
  EXPECT_EQ(find_invalid_utf8("\xed\xa0\x80"), 0u);  // surrogate
  EXPECT_EQ(find_invalid_utf8("\xed\xa0\x80", true), kValid);
}

TEST(Utf8, AppendsEveryLength) {
  std::string text;
  for (const uint32_t code : {0x41u, 0xe9u, 0x6a21u, 0x1f600u}) append_utf8(text, code);
  EXPECT_EQ(text, "Aé模😀");
}

TEST(Utf8, PrintableLeavesNoControlCharacter) {
  EXPECT_EQ(printable("plain é 模型"), "plain é 模型");
  EXPECT_EQ(printable("a\x1b[2Jb\n\x7f"), "a\\x1b[2Jb\\x0a\\x7f");
  EXPECT_EQ(printable("a\xff\xfe b"), "a\\xff\\xfe b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m");  // C1: control sequence introducer
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

}  // namespace
}  // namespace saccade
