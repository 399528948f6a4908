// Options from the command line, the environment and a configuration file, in this order.

#include <gtest/gtest.h>

#include <set>

#include "saccade/base/json.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

/// The systems that `saccade models --json` lists.
std::set<std::string> systems(const RunResult& result) {
  EXPECT_EQ(result.code, 0) << result.err;
  std::set<std::string> found;
  for (const auto& row : parse_json(result.out, "models --json"))
    found.insert(row["system"].get<std::string>());
  return found;
}

int threads(const RunResult& result) {
  EXPECT_EQ(result.code, 0) << result.err;
  return parse_json(result.out, "doctor --json")["threads"].get<int>();
}

using Names = std::set<std::string>;

TEST(Settings, AnOptionCanComeFromTheEnvironment) {
  EXPECT_EQ(
      systems(saccade({"models", "--json"}, {.environment = {{"SACCADE_MODELS_SYSTEM", "vit"}}})),
      Names{"vit"});
  const auto flag = saccade({"doctor"}, {.environment = {{"SACCADE_DOCTOR_JSON", "true"}}});
  EXPECT_TRUE(parse_json(flag.out, "doctor").contains("cores"));
}

TEST(Settings, AnOptionCanComeFromAFile) {
  const TemporaryFolder folder;
  const auto file = folder.write("run.toml",
                                 "threads = 3\n[models]\nsystem = \"deit\"\n"
                                 "[doctor]\nthreads = 5\njson = true\n");
  EXPECT_EQ(systems(saccade({"models", "--json", "--config-file", file})), Names{"deit"});
  EXPECT_EQ(threads(saccade({"doctor", "--config-file", file})), 5);  // the verb's table wins
  EXPECT_EQ(threads(saccade({"doctor"}, {.environment = {{"SACCADE_CONFIG_FILE", file}}})), 5);
}

TEST(Settings, TheCommandLineComesFirstAndTheFileLast) {
  const TemporaryFolder folder;
  const auto file = folder.write("run.toml", "system = \"deit\"\njson = true\n");
  const RunOptions environment{.environment = {{"SACCADE_MODELS_SYSTEM", "vit"}}};
  EXPECT_EQ(systems(saccade({"models", "--config-file", file}, environment)), Names{"vit"});
  EXPECT_EQ(systems(saccade({"models", "--config-file", file, "--system", "deit"}, environment)),
            Names{"deit"});
  EXPECT_EQ(systems(saccade({"models", "--config-file", file})), Names{"deit"});
}

TEST(Settings, CommonOptionsHaveCommonVariables) {
  const RunOptions environment{.environment = {{"SACCADE_THREADS", "7"}}};
  EXPECT_EQ(threads(saccade({"doctor", "--json"}, environment)), 7);
  EXPECT_EQ(threads(saccade({"doctor", "--json", "--threads", "2"}, environment)), 2);
}

TEST(Settings, AnEmptyVariableIsNoSetting) {
  const auto result = run("/bin/sh", {"-c", "SACCADE_MODELS_SYSTEM= \"$0\" models --json",
                                      std::string(SACCADE_BIN) + "/saccade"});
  EXPECT_GE(systems(result).size(), 2U);
}

TEST(Settings, BadFilesAreRefusedWithTheirPlace) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"system = ", "line 1, column"},
      {"a = 1\n[models\n", "line 2, column"},
      {"sytem = \"vit\"\n", "unknown key \"sytem\" for models; did you mean \"system\"?"},
      {"[modles]\nsystem = \"vit\"\n",
       "unknown key \"modles\" for models; did you mean \"models\"?"},
      {"models = 3\n", "models must be a table"},
      {"[models]\nsystem = [[1], [2]]\n", "system must be a flat list"},
      {"[models.system]\nx = 1\n", "system must be a value"},
      {"help = true\n", "unknown key \"help\""},
      {"config-file = \"x\"\n", "unknown key \"config-file\""},
  };
  for (const auto& [text, message] : cases) {
    const auto file = folder.write("bad.toml", text);
    const auto result = saccade({"models", "--config-file", file});
    EXPECT_EQ(result.code, 3) << text;
    EXPECT_TRUE(result.err.starts_with("saccade: " + file.string() + ": ")) << result.err;
    EXPECT_NE(result.err.find(message), std::string::npos) << result.err;
  }
}

TEST(Settings, AMissingFileIsAnErrorHoweverItWasNamed) {
  const auto flag = saccade({"models", "--config-file", "/nowhere/run.toml"});
  EXPECT_EQ(flag.code, 3);
  EXPECT_NE(flag.err.find("/nowhere/run.toml: "), std::string::npos) << flag.err;
  const auto variable =
      saccade({"models"}, {.environment = {{"SACCADE_CONFIG_FILE", "/nowhere/run.toml"}}});
  EXPECT_EQ(variable.code, 3);
  EXPECT_NE(variable.err.find("SACCADE_CONFIG_FILE"), std::string::npos) << variable.err;
}

TEST(Settings, ASwitchTakesTrueOrFalse) {
  const TemporaryFolder folder;
  const auto file = folder.write("run.toml", "[bench]\nmmap = \"perhaps\"\n");
  const std::string from_line = "saccade: --mmap takes true or false, not \"perhaps\"";
  const auto line = saccade({"bench", "--mmap=perhaps"});
  EXPECT_EQ(line.code, 2);
  EXPECT_TRUE(line.err.starts_with(from_line + "\n")) << line.err;
  const auto variable = saccade({"bench"}, {.environment = {{"SACCADE_BENCH_MMAP", "perhaps"}}});
  EXPECT_EQ(variable.code, 2);
  EXPECT_TRUE(variable.err.starts_with(from_line + " (from SACCADE_BENCH_MMAP)")) << variable.err;
  const auto config = saccade({"bench", "--config-file", file});
  EXPECT_EQ(config.code, 3);
  EXPECT_NE(config.err.find("mmap must be true or false"), std::string::npos) << config.err;
  EXPECT_EQ(saccade({"bench", "--mmap=99999999999999999999"}).code, 2);
}

TEST(Settings, NumbersOutOfRangeAreOneShortLine) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"bench", "--seconds", "-1"}, "--seconds: \"-1\" is no number above 0"},
      {{"bench", "--seconds", "nan"}, "--seconds: \"nan\" is no number above 0"},
      {{"bench", "--seconds", "1e400"}, "--seconds: \"1e400\" is no number above 0"},
      {{"compile", "vit_tiny_patch16_224", "--budget", "-1"}, "\"-1\" is no number from 0 on"},
      {{"doctor", "--threads", "0"}, "saccade: --threads takes 1 to 256, not \"0\""},
      {{"doctor", "--threads", "many"}, "saccade: --threads takes 1 to 256, not \"many\""},
  };
  for (const auto& [arguments, message] : cases) {
    const auto result = saccade(arguments);
    EXPECT_EQ(result.code, 2) << message;
    EXPECT_NE(result.err.find(message), std::string::npos) << result.err;
  }
  const auto variable = saccade({"doctor"}, {.environment = {{"SACCADE_THREADS", "0"}}});
  EXPECT_NE(variable.err.find("not \"0\" (from SACCADE_THREADS)"), std::string::npos)
      << variable.err;
}

TEST(Settings, HelpNeedsNoGoodFile) {
  const TemporaryFolder folder;
  const auto file = folder.write("bad.toml", "= =");
  EXPECT_EQ(saccade({"models", "--config-file", file, "--help"}).code, 0);
}

TEST(Settings, ABadValueSaysWhereItCameFrom) {
  const auto result = saccade({"profile", "vit_tiny_patch16_224"},
                              {.environment = {{"SACCADE_PROFILE_DEPTH", "deep"}}});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("--depth"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("SACCADE_PROFILE_DEPTH"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace saccade::test
