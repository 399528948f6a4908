// `saccade` and `saccade-torch`: copies of the lean program beside programs of our own.

#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

namespace fs = std::filesystem;

/// Tells what it was given, and ends with code 7.
constexpr const char* kEcho =
    "#!/bin/sh\necho \"torch:$#\"\nfor a in \"$@\"; do echo \"<$a>\"; done\n"
    "echo \"mood $MOOD\"\necho complaint >&2\nexit 7\n";

/// A folder with a copy of `saccade` and, if there is a script, `saccade-torch`.
class Installation {
 public:
  Installation() {
    fs::create_directories(folder_.path() / "bin");
    fs::copy_file(fs::path(SACCADE_BIN) / "saccade", program());
  }
  [[nodiscard]] fs::path program() const { return folder_.path() / "bin" / "saccade"; }
  void add_torch(const std::string& script, const std::string& folder = "bin") const {
    const auto file = folder_.write(folder + "/saccade-torch", script);
    fs::permissions(file, fs::perms::owner_all);
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

const RunOptions kEmptyPath{.environment = {{"PATH", "/nowhere"}}};

TEST(HandOver, SaysHowToGetTheProgramThatIsMissing) {
  const Installation lean;
  for (const auto* verb : {"train", "verify", "convert"}) {
    const auto result = run(lean.program(), {verb, "--help"}, kEmptyPath);
    EXPECT_EQ(result.code, 4) << verb;
    EXPECT_EQ(result.out, "");
    for (const auto& word : {verb, "libtorch", "saccade-torch", "make build"})
      EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
  }
}

TEST(HandOver, PassesArgumentsEnvironmentAndExitCode) {
  const Installation both;
  both.add_torch(kEcho);
  const auto result = run(both.program(), {"train", "a b", "--flag", "", "--help"},
                          {.environment = {{"PATH", "/bin:/usr/bin"}, {"MOOD", "good"}}});
  EXPECT_EQ(result.code, 7);
  EXPECT_EQ(result.out, "torch:5\n<train>\n<a b>\n<--flag>\n<>\n<--help>\nmood good\n");
  EXPECT_EQ(result.err, "complaint\n");
}

TEST(HandOver, LooksBesideItselfBeforeThePath) {
  const Installation both;
  both.add_torch("#!/bin/sh\necho path\n", "elsewhere");
  const RunOptions path{.environment = {{"PATH", "/nowhere::" + both.path("elsewhere").string()}}};
  EXPECT_EQ(run(both.program(), {"train"}, path).out, "path\n");
  both.add_torch("#!/bin/sh\necho beside\n");
  EXPECT_EQ(run(both.program(), {"train"}, path).out, "beside\n");
}

TEST(HandOver, NeverGoesInACircle) {
  const Installation odd;
  fs::copy_file(odd.program(), odd.path("bin/saccade-torch"));
  const auto result = run(odd.program(), {"train"}, {.seconds = 20});
  EXPECT_EQ(result.code, 4);
  EXPECT_NE(result.err.find("without it"), std::string::npos) << result.err;
}

TEST(HandOver, AProgramThatCannotRunIsAnError) {
  const Installation both;
  both.add_torch("#!/nowhere/interpreter\n");
  const auto result = run(both.program(), {"train"}, kEmptyPath);
  EXPECT_EQ(result.code, 4);
  EXPECT_NE(result.err.find("cannot be run"), std::string::npos) << result.err;
}

TEST(Doctor, FindsTheProgramWithLibtorch) {
  const Installation both;
  const auto alone = run(both.program(), {"doctor", "--json"}, kEmptyPath);
  EXPECT_FALSE(parse_json(alone.out, "doctor")["saccade_torch"]["found"].get<bool>());
  both.add_torch("#!/bin/sh\necho \"saccade-torch 9 (libtorch 8)\"\n");
  const auto found = run(both.program(), {"doctor", "--json"});
  const Json report = parse_json(found.out, "doctor");
  EXPECT_EQ(report["saccade_torch"]["version"], "saccade-torch 9 (libtorch 8)");
  both.add_torch("#!/bin/sh\necho \"libtorch.so: cannot open\" >&2\nexit 127\n");
  const auto broken = run(both.program(), {"doctor"});
  EXPECT_EQ(broken.code, 0);
  EXPECT_NE(broken.out.find("does not start: libtorch.so: cannot open"), std::string::npos)
      << broken.out;
}

TEST(Doctor, FindsTheBundledModelOfAnInstalledTree) {
  const Installation installed;
  const auto without = run(installed.program(), {"doctor", "--json"});
  EXPECT_TRUE(parse_json(without.out, "doctor")["default_model"].is_null());
  const auto file = installed.path("share/saccade/assets/vit_cifar10.plan");
  fs::create_directories(file.parent_path());
  fs::copy_file(installed.program(), file);
  const auto with = run(installed.program(), {"doctor", "--json"});
  const auto reported = parse_json(with.out, "doctor")["default_model"].get<std::string>();
  EXPECT_TRUE(fs::equivalent(reported, file)) << reported;
}

TEST(Doctor, TellsWhatTheMachineHas) {
  const auto result = saccade({"doctor", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json report = parse_json(result.out, "doctor");
  EXPECT_GT(report["cores"].get<int>(), 0);
  EXPECT_GT(report["memory"].get<int64_t>(), int64_t{1} << 28);
  EXPECT_FALSE(report["instruction_sets"].empty());
  for (const auto* library : {"libjpeg-turbo", "libpng", "highway", "highway targets"})
    EXPECT_FALSE(report["libraries"][library].get<std::string>().empty()) << library;
}

TEST(Doctor, KnowsWhereTheCacheCannotBe) {
  const TemporaryFolder folder;
  const auto writable = [](const fs::path& cache) {
    const auto result =
        saccade({"doctor", "--json"}, {.environment = {{"XDG_CACHE_HOME", cache.string()}}});
    return parse_json(result.out, "doctor")["cache"]["writable"].get<bool>();
  };
  EXPECT_TRUE(writable(folder.path() / "not" / "yet"));
  EXPECT_FALSE(writable(folder.write("file", "in the way")));
}

}  // namespace
}  // namespace saccade::test
