// Plans in the lean program: compile a raw one, then inspect, classify and bench what came out.

#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "saccade/runtime/session.h"
#include "tests/plan/graphs.h"
#include "tests/support/pictures.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

class Plans : public ::testing::Test {
 protected:
  Plans() {
    raw_.graph = small_vit();
    raw_.info.name = "small";
    raw_.info.raw = true;
    raw_.info.labels = {"a", "b", "c", "d", "e"};
    raw_.info.pipeline = Pipeline{};
    raw_.info.pipeline->resize = ResizeRule::exact;
    raw_.info.pipeline->resize_height = raw_.info.pipeline->resize_width = 8;
    raw_.info.pipeline->crop_height = raw_.info.pipeline->crop_width = 8;
    const NamedTensors inputs = {{"images", random_tensor({2, 3, 8, 8}, "recorded")}};
    const auto engine = runtime::make_engine(std::make_shared<runtime::Model>(raw_));
    raw_.recordings.push_back({inputs, engine->run(inputs)});
    write();
  }
  void write() const { plan::write(raw_, raw_path()); }
  [[nodiscard]] std::string raw_path() const { return (folder_.path() / "raw.plan").string(); }
  [[nodiscard]] std::string path() const { return (folder_.path() / "small.plan").string(); }
  [[nodiscard]] RunResult compile(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"compile", raw_path(), "-o", path()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return saccade(arguments);
  }

  plan::Plan raw_;
  TemporaryFolder folder_;
};

TEST_F(Plans, CompileClassifyInspectBench) {
  const auto compiled = compile({"--json"});
  ASSERT_EQ(compiled.code, 0) << compiled.err;
  const auto report = parse_json(compiled.out, "stdout");
  EXPECT_LT(report["difference"].get<double>(), 1e-5);

  const auto picture = folder_.write("picture.png", small_png()).string();
  const auto raw = saccade({"classify", "-m", raw_path(), picture, "--json"});
  const auto fast = saccade({"classify", "-m", path(), picture, "--json"});
  ASSERT_EQ(fast.code, 0) << fast.err;
  const auto a = parse_json(raw.out, "raw")[0]["top"], b = parse_json(fast.out, "fast")[0]["top"];
  ASSERT_EQ(b.size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(a[i]["label"], b[i]["label"]);
    EXPECT_NEAR(a[i]["score"].get<double>(), b[i]["score"].get<double>(), 1e-5);
  }

  const auto inspected = saccade({"inspect", path(), "--json", "--hash"});
  ASSERT_EQ(inspected.code, 0) << inspected.err;
  const auto plan = parse_json(inspected.out, "stdout");
  EXPECT_EQ(plan["format"], "plan");
  EXPECT_EQ(plan["metadata"]["inputs"]["images"], "F32[N, 3, 8, 8]");
  EXPECT_EQ(plan["metadata"]["operators"]["attention"], 2);

  const auto bench = saccade({"bench", path(), "--seconds", "0.05", "--batch", "2", "--json"});
  ASSERT_EQ(bench.code, 0) << bench.err;
  const auto measured = parse_json(bench.out, "stdout");
  EXPECT_GT(measured["ms"]["min"].get<double>(), 0.0);
  EXPECT_LE(measured["ms"]["min"].get<double>(), measured["ms"]["p99"].get<double>());
  EXPECT_EQ(measured["precision"], "fp32");
}

TEST_F(Plans, GraphsAreDumpedAfterEveryPass) {
  const auto dump = folder_.path() / "ir";
  ASSERT_EQ(compile({"--dump-ir", dump.string(), "--timings"}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(dump / "00-trace.txt"));
  EXPECT_TRUE(std::filesystem::exists(dump / "01-fold_constants.txt"));
  EXPECT_TRUE(std::filesystem::exists(dump / "memory.txt"));
}

TEST_F(Plans, AnswersThatDifferAreNotWritten) {
  raw_.recordings[0].outputs[0].second = random_tensor({2, 5}, "something else");
  write();
  const auto result = compile();
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("nothing was written"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_EQ(compile({"--no-verify"}).code, 0);
}

TEST_F(Plans, MistakesHaveTheirCodes) {
  ASSERT_EQ(compile().code, 0);
  const auto twice = saccade({"compile", path(), "-o", (folder_.path() / "again.plan").string()});
  EXPECT_EQ(twice.code, 2);
  EXPECT_EQ(compile({"--skip", "magic"}).code, 2);
  auto bytes = plan::serialize(raw_);
  bytes[bytes.size() / 2] ^= std::byte{1};
  const auto bad = folder_.write(
      "bad.plan", std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const auto picture = folder_.write("picture.png", small_png()).string();
  for (const auto& command : {std::vector<std::string>{"classify", "-m", bad.string(), picture},
                              {"inspect", bad.string()},
                              {"compile", bad.string()},
                              {"bench", bad.string()}}) {
    const auto result = saccade(command);
    EXPECT_EQ(result.code, 3) << command[0] << result.err;
    EXPECT_NE(result.err.find("bad.plan"), std::string::npos);
  }
}

}  // namespace
}  // namespace saccade::test
