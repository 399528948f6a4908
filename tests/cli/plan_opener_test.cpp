// Plans where a model is expected: mapped, or read with --no-mmap.

#include "apps/cli/plan_opener.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "apps/cli/build.h"
#include "apps/cli/compiled.h"
#include "saccade/base/json.h"
#include "tests/plan/small_plan.h"
#include "tests/support/pictures.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

namespace fs = std::filesystem;

bool is_mapped(const fs::path& file) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.ends_with(file.string())) return true;
  return false;
}

class PlanOpener : public ::testing::Test {
 protected:
  PlanOpener() { plan::write(small_plan(), file_); }

  TemporaryFolder folder_;
  fs::path file_ = folder_.path() / "small.plan";
};

/// Opens `file` as a verb with model options does, with more arguments; whether it is mapped then.
bool maps(const fs::path& file, const std::vector<std::string>& more = {}) {
  std::vector<std::string> texts{"saccade", "act", "-m", file.string()};
  texts.insert(texts.end(), more.begin(), more.end());
  std::vector<char*> argv;
  argv.reserve(texts.size());
  for (auto& text : texts) argv.push_back(text.data());
  cli::Program program;
  program.name = "saccade";
  program.argc = static_cast<int>(argv.size());
  program.argv = argv.data();
  bool mapped = false;
  const cli::Verb verb{"act", "Acts", [&](CLI::App& app, const cli::Program&) -> cli::Action {
                         auto args = std::make_shared<cli::ModelArgs>();
                         cli::add_model_options(app, *args);
                         return [&, args] {
                           const auto opened = cli::open_model(program, *args);
                           mapped = is_mapped(file);
                           return 0;
                         };
                       }};
  EXPECT_EQ(cli::run_program(program, std::span(&verb, 1)), 0);
  EXPECT_FALSE(is_mapped(file));
  return mapped;
}

TEST_F(PlanOpener, MapsAPlanUnlessToldNotTo) {
  EXPECT_TRUE(maps(file_));
  EXPECT_TRUE(maps(file_, {"--mmap"}));
  EXPECT_FALSE(maps(file_, {"--no-mmap"}));
  for (const auto& [value, mapped] : {std::pair{"true", true}, {"false", false}}) {
    ASSERT_EQ(setenv("SACCADE_ACT_MMAP", value, 1), 0);
    EXPECT_EQ(maps(file_), mapped) << value;
  }
  ASSERT_EQ(unsetenv("SACCADE_ACT_MMAP"), 0);
}

TEST_F(PlanOpener, BenchOpensInTheSameWay) {
  cli::ModelArgs args;
  args.model = file_.string();
  {
    const auto plan = cli::compiled_plan({}, args);
    EXPECT_TRUE(is_mapped(file_));
  }
  args.residence = plan::Residence::read;
  const auto plan = cli::compiled_plan({}, args);
  EXPECT_FALSE(is_mapped(file_));
}

TEST_F(PlanOpener, WhatWasReadSurvivesTheLossOfItsFile) {
  cli::ModelArgs args;
  args.model = file_.string();
  args.residence = plan::Residence::read;
  const auto opened = cli::open_plan(args);
  const auto images = random_tensor({2, 3, 8, 8}, "images");
  const auto before = opened.engine->run({{"images", images}});
  fs::resize_file(file_, 0);
  const auto after = opened.engine->run({{"images", images}});
  EXPECT_TRUE(std::ranges::equal(before.at(0).second.bytes(), after.at(0).second.bytes()));
}

TEST_F(PlanOpener, EveryVerbThatRunsPlansTakesTheOption) {
  const auto picture = folder_.write("pictures/a/picture.png", small_png()).string();
  const auto plan = file_.string();
  const auto data = (folder_.path() / "pictures").string();
  const std::vector<std::vector<std::string>> commands = {
      {"classify", "-m", plan, picture, "--json"},
      {"eval", "-m", plan, "--data", data, "--json"},
      {"preprocess", "-m", plan, picture, "--json"},
      {"bench", plan, "--seconds", "0.01", "--json"}};
  for (auto command : commands) {
    const auto mapped = saccade(command);
    command.emplace_back("--no-mmap");
    const auto read = saccade(command);
    EXPECT_EQ(mapped.code, 0) << command[0] << mapped.err;
    EXPECT_EQ(read.code, 0) << command[0] << read.err;
    if (command[0] != "classify") continue;
    EXPECT_EQ(parse_json(mapped.out, "mapped")[0]["top"], parse_json(read.out, "read")[0]["top"]);
  }
}

TEST(BundledPlan, IsWhatIsUsedWithoutAModel) {
  const auto bundled = cli::default_model();
  ASSERT_TRUE(bundled);
  TemporaryFolder folder;
  const auto picture = folder.write("picture.png", small_png()).string();
  const auto named = saccade({"classify", "-m", bundled->string(), picture, "--json"});
  const auto unnamed = saccade({"classify", picture, "--json"});
  ASSERT_EQ(unnamed.code, 0) << unnamed.err;
  const auto top = parse_json(unnamed.out, "stdout")[0]["top"];
  EXPECT_EQ(top, parse_json(named.out, "stdout")[0]["top"]);
  EXPECT_EQ(top.size(), 5U);
}

}  // namespace
}  // namespace saccade::test
