// `saccade compile --precision` as a user runs it: what it says, what the plan says, what it
// refuses.

#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "saccade/runtime/session.h"
#include "tests/plan/small_plan.h"
#include "tests/support/pictures.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

class PrecisionOption : public ::testing::Test {
 protected:
  PrecisionOption() {
    plan::write(small_raw_plan(), at("raw.plan"));
    for (const std::string name : {"a", "b"}) {
      std::filesystem::create_directories(folder_.path() / "labelled" / name);
      std::filesystem::create_directories(folder_.path() / "other" / ("not " + name));
      folder_.write("labelled/" + name + "/1.png", small_png());
      folder_.write("other/not " + name + "/1.png", small_png());
    }
    std::filesystem::create_directories(folder_.path() / "empty");
  }
  [[nodiscard]] std::string at(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  [[nodiscard]] RunResult compile(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"compile", at("raw.plan"), "-o", at("small.plan")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return saccade(arguments);
  }

  TemporaryFolder folder_;
};

TEST_F(PrecisionOption, Bf16WithoutPictures) {
  const auto result = compile({"--precision", "bf16", "--no-measure", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = parse_json(result.out, "stdout");
  EXPECT_EQ(json["precision"], "bf16");
  EXPECT_GT(json["difference"].get<double>(), 1e-4);
  EXPECT_LT(json["difference"].get<double>(), json["tolerance"].get<double>());
  EXPECT_EQ(json["report"]["counts"]["bf16"], 12);
  const auto inspected = saccade({"inspect", at("small.plan"), "--json"});
  ASSERT_EQ(inspected.code, 0) << inspected.err;
  const auto plan = parse_json(inspected.out, "stdout");
  EXPECT_EQ(plan["metadata"]["report"], json["report"]);
  const auto bench = saccade({"bench", at("small.plan"), "--seconds", "0.05", "--json"});
  ASSERT_EQ(bench.code, 0) << bench.err;
  const auto precision = parse_json(bench.out, "stdout")["precision"].get<std::string>();
  EXPECT_TRUE(precision == "bf16" || precision == "bf16 storage, fp32 arithmetic") << precision;
}

TEST_F(PrecisionOption, Int8WithLabels) {
  const auto result =
      compile({"--precision", "int8", "--calibrate", at("labelled"), "--no-measure", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto report = parse_json(result.out, "stdout")["report"];
  EXPECT_EQ(report["comparison"]["measure"], "top1");
  EXPECT_EQ(report["comparison"]["pictures"], 2);
  EXPECT_EQ(report["budget"], 0.5);
  EXPECT_EQ(report["calibration"], "labelled");
  // Two pictures cannot show half a point.
  EXPECT_NE(result.err.find("2 pictures measure top-1 in steps of 50 points"), std::string::npos)
      << result.err;
}

TEST_F(PrecisionOption, ClassesThatDoNotMatchAreSaid) {
  const auto result = compile(
      {"--precision", "int8", "--calibrate", at("other"), "--no-measure", "--budget", "50"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.err.find("no labels"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("relative error of the output, up to 50 %"), std::string::npos);
  EXPECT_NE(result.out.find("output error"), std::string::npos) << result.out;
}

TEST_F(PrecisionOption, LayersThatStayAreListed) {
  const auto result =
      compile({"--precision", "int8", "--calibrate", at("labelled"), "--no-measure"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("2 products in bf16 because they have no int8"), std::string::npos)
      << result.out;
  const auto inspected = saccade({"inspect", at("small.plan")});
  EXPECT_NE(inspected.out.find("2 products in bf16"), std::string::npos) << inspected.out;
}

TEST_F(PrecisionOption, MistakesHaveTheirCodes) {
  const auto expect = [&](int code, const std::vector<std::string>& options,
                          const std::string& message) {
    const auto result = compile(options);
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_NE(result.err.find(message), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(at("small.plan")));
  };
  expect(2, {"--precision", "int8"}, "--calibrate");
  expect(2, {"--precision", "bf16", "--budget", "0.2"}, "--calibrate");
  expect(2, {"--budget", "0.2"}, "belong to --precision");
  expect(2, {"--calibrate", at("labelled")}, "belong to --precision");
  expect(2, {"--precision", "fp16"}, "fp16");
  expect(2, {"--precision", "int8", "--calibrate", at("labelled"), "--budget", "-1"}, "budget");
  expect(3, {"--precision", "int8", "--calibrate", at("empty")}, "holds no");
  expect(3, {"--precision", "int8", "--calibrate", at("absent")}, "absent");
}

}  // namespace
}  // namespace saccade::test
