#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "tests/cli/run.h"

namespace saccade::test {
namespace {

TEST(Program, DoctorSpeaksJson) {
  const auto result = saccade({"doctor", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json report = parse_json(result.out, "doctor --json");
  EXPECT_GT(report["cores"].get<int>(), 0);
  EXPECT_GT(report["memory"].get<int64_t>(), 0);
  EXPECT_EQ(result.err, "");
}

}  // namespace
}  // namespace saccade::test
