#include "saccade/base/log.h"

#include <gtest/gtest.h>

namespace saccade::test {
namespace {

/// Sets the log back to silence, as a library user finds it.
struct Silence {
  ~Silence() {
    set_log_callback({});
    set_log_level(LogLevel::info);
  }
};

TEST(Log, IsSilentWithoutACallback) {
  const Silence silence;
  set_log_callback({});
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  log_error("nobody listens");
  EXPECT_FALSE(logs(LogLevel::error));
  EXPECT_EQ(testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout(), "");
}

TEST(Log, TellsTheCallbackWhatIsImportantEnough) {
  const Silence silence;
  std::vector<std::string> seen;
  set_log_callback([&](LogLevel level, std::string_view message) {
    seen.push_back(fmt::format("{}:{}", name(level), message));
  });
  log_debug("a");
  log_info("b {}", 1);
  set_log_level(LogLevel::error);
  log_warning("c");
  log_error("d");
  set_log_level(LogLevel::off);
  log_error("e");
  EXPECT_EQ(seen, (std::vector<std::string>{"info:b 1", "error:d"}));
}

TEST(Log, StderrShowsTheLevelUnlessItIsInformation) {
  const Silence silence;
  testing::internal::CaptureStderr();
  set_log_callback(stderr_log());
  log_info("{} and {{}}", "plain");
  log_warning("odd");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "plain and {}\nwarning: odd\n");
}

TEST(Log, LevelsHaveNames) {
  for (const auto level :
       {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error, LogLevel::off})
    EXPECT_EQ(parse_log_level(name(level)), level);
  EXPECT_FALSE(parse_log_level("loud"));
}

}  // namespace
}  // namespace saccade::test
