// `saccade eval`: its JSON contract, how it finds splits and classes, its exit codes.

#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "tests/support/fake_model.h"
#include "tests/support/pictures.h"

namespace saccade::test {
namespace {

class Eval : public ::testing::Test {
 protected:
  /// Every picture is class 200 % 3 = 2 to the model.
  RunResult eval(std::vector<std::string> arguments, std::vector<std::string> labels = {}) {
    arguments.insert(arguments.begin(), {"-m", "fake", "--data", folder_.path().string()});
    return run_with_fake_model(cli::eval_verb(), std::move(arguments), 3, std::move(labels));
  }

  void add(const std::string& name) { folder_.write(name, small_png()); }

  TemporaryFolder folder_;
};

TEST_F(Eval, PrintsTheJsonOfItsContract) {
  for (const auto* name : {"ape/1.png", "cat/1.png", "cat/2.png", "dog/1.png"}) add(name);
  const auto result = eval({"--json"}, {"cat", "dog", "ape"});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto json = parse_json(result.out, "stdout");
  EXPECT_EQ(json["top1"], 0.25);
  EXPECT_EQ(json["top5"], 1.0);
  EXPECT_EQ(json["count"], 4);
  EXPECT_EQ(json["classes_matched_by"], "label");
  EXPECT_GT(json["nll"].get<double>(), 0.0);
  EXPECT_TRUE(json.contains("ece"));
}

TEST_F(Eval, MatchesBySortedOrderWhereCountsAgree) {
  for (const auto* name : {"n1/1.png", "n2/1.png", "n3/1.png"}) add(name);
  const auto result = eval({"--json"}, {"cat", "dog", "ape"});
  const auto json = parse_json(result.out, "stdout");
  EXPECT_EQ(json["classes_matched_by"], "order");
  EXPECT_DOUBLE_EQ(json["top1"].get<double>(), 1.0 / 3);
  EXPECT_NE(result.err.find("sorted order"), std::string::npos);
}

TEST_F(Eval, RefusesClassesThatDoNotFit) {
  add("n1/1.png");
  add("n2/1.png");
  const auto result = eval({}, {"cat", "dog", "ape"});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("do not fit the model's 3"), std::string::npos) << result.err;
}

TEST_F(Eval, TakesTheTestSplitUnlessToldOtherwise) {
  for (const auto* name : {"train/ape/1.png", "train/ape/2.png", "val/ape/3.png"}) add(name);
  const std::vector<std::string> labels{"cat", "dog", "ape"};
  const auto by_default = parse_json(eval({"--json"}, labels).out, "stdout");
  EXPECT_EQ(by_default["split"], "val");
  EXPECT_EQ(by_default["count"], 1);
  EXPECT_EQ(parse_json(eval({"--json", "--split", "train"}, labels).out, "stdout")["count"], 2);
  const auto absent = eval({"--split", "dev"}, labels);
  EXPECT_EQ(absent.code, 2);
  EXPECT_NE(absent.err.find("train, val"), std::string::npos) << absent.err;
  add("test/ape/4.png");
  EXPECT_EQ(eval({}, labels).code, 2) << "val or test";
}

TEST_F(Eval, ShowsProgressAndAReport) {
  for (const auto* name : {"ape/1.png", "cat/1.png"}) add(name);
  const auto result = eval({"--batch", "1"}, {"cat", "dog", "ape"});
  EXPECT_NE(result.err.find("images/s"), std::string::npos) << result.err;
  EXPECT_NE(result.out.find("50.00 %"), std::string::npos) << result.out;
}

TEST_F(Eval, StopsAtABrokenPicture) {
  add("ape/1.png");
  folder_.write("ape/2.png", "broken");
  const auto result = eval({}, {"cat", "dog", "ape"});
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("2.png"), std::string::npos) << result.err;
  EXPECT_EQ(eval({"--limit", "1"}, {"cat", "dog", "ape"}).code, 0);
  EXPECT_EQ(eval({"--limit", "0"}).code, 2);
}

}  // namespace
}  // namespace saccade::test
