#include "apps/cli/output.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade::test {
namespace {

using cli::Align;
using cli::Table;

TEST(Table, AlignsColumnsByWhatIsSeen) {
  Table table({{"name"}, {"n", Align::right}, {"note"}});
  table.add({"hw²", "1", "x"});
  table.add({"abcdef", "1000", ""});
  EXPECT_EQ(table.text(),
            "name       n  note\n"
            "hw²        1  x\n"
            "abcdef  1000\n");
}

TEST(Table, NeedsNoHeadings) {
  Table table({{""}, {""}});
  table.add({"a", "b"});
  EXPECT_EQ(table.text(), "a  b\n");
  EXPECT_THROW(table.add({"alone"}), InternalError);
}

TEST(Units, HaveThreeDigits) {
  EXPECT_EQ(cli::with_unit(0), "0");
  EXPECT_EQ(cli::with_unit(999), "999");
  EXPECT_EQ(cli::with_unit(999.6), "1.00 k");
  EXPECT_EQ(cli::with_unit(5717416), "5.72 M");
  EXPECT_EQ(cli::with_unit(86567656), "86.6 M");
  EXPECT_EQ(cli::with_unit(999499999), "999 M");
  EXPECT_EQ(cli::with_unit(999999999), "1.00 G");
}

TEST(Units, CountBytesInPowersOfTwo) {
  EXPECT_EQ(cli::bytes_text(0), "0 B");
  EXPECT_EQ(cli::bytes_text(1023), "1023 B");
  EXPECT_EQ(cli::bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(cli::bytes_text(346270624), "330.2 MiB");
}

TEST(PrintJson, ReplacesWhatIsNoText) {
  testing::internal::CaptureStdout();
  cli::print_json({{"file", "a\xff.jpg"}});
  const auto text = testing::internal::GetCapturedStdout();
  EXPECT_EQ(parse_json(text, "stdout")["file"], "a\xEF\xBF\xBD.jpg");
}

}  // namespace
}  // namespace saccade::test
