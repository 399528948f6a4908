// `saccade classify`: its JSON contract, its exit codes, what a person sees.

#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "tests/support/fake_model.h"
#include "tests/support/pictures.h"

namespace saccade::test {
namespace {

class Classify : public ::testing::Test {
 protected:
  Classify() {
    good_ = folder_.write("good.png", small_png()).string();
    bad_ = folder_.write("bad.png", "no picture").string();
  }

  static RunResult classify(std::vector<std::string> arguments, int64_t classes = 300,
                            std::vector<std::string> labels = {}) {
    arguments.insert(arguments.begin(), {"-m", "fake"});
    return run_with_fake_model(cli::classify_verb(), std::move(arguments), classes,
                               std::move(labels));
  }

  TemporaryFolder folder_;
  std::string good_, bad_;
};

TEST_F(Classify, PrintsTheJsonOfItsContract) {
  const auto result = classify({good_, "--json"});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto rows = parse_json(result.out, "stdout");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["file"], good_);
  EXPECT_GT(rows[0]["ms"].get<double>(), 0.0);
  ASSERT_EQ(rows[0]["top"].size(), 5U);
  EXPECT_EQ(rows[0]["top"][0]["index"], 200);
  EXPECT_EQ(rows[0]["top"][0]["label"], "class 200");
  EXPECT_NEAR(rows[0]["top"][0]["score"].get<double>(), 2.718281828 / (2.718281828 + 299), 1e-6);
  EXPECT_EQ(rows[0]["top"][1]["index"], 0);
}

TEST_F(Classify, OneBadPictureDoesNotStopTheOthers) {
  const auto absent = (folder_.path() / "absent.png").string();
  const auto result = classify({good_, bad_, absent, "--json", "-k", "1", "--batch", "2"});
  EXPECT_EQ(result.code, 3);
  const auto rows = parse_json(result.out, "stdout");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["file"], absent);
  EXPECT_EQ(rows[1]["file"], bad_);
  for (const size_t i : {0U, 1U}) {
    EXPECT_TRUE(rows[i].contains("error")) << rows[i];
    EXPECT_FALSE(rows[i].contains("top"));
  }
  EXPECT_EQ(rows[2]["top"].size(), 1U);
}

TEST_F(Classify, UsesTheModelsLabels) {
  const auto result = classify({good_}, 3, {"cat", "dog", "ape"});  // 200 % 3 = 2
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("good.png"), std::string::npos);
  EXPECT_LT(result.out.find("ape"), result.out.find("cat"));
  EXPECT_NE(result.out.find("57.6 %"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find(" ms)"), std::string::npos);
}

TEST_F(Classify, ReportsBadPicturesToPeopleToo) {
  const auto result = classify({bad_, good_});
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("bad.png"), std::string::npos);
  EXPECT_NE(result.out.find("2 pictures in"), std::string::npos);
  EXPECT_NE(result.out.find("1 of them not answered"), std::string::npos);
}

TEST_F(Classify, TakesFolders) {
  folder_.write("holiday/b.png", small_png());
  folder_.write("holiday/a/z.png", small_png());
  const auto root = (folder_.path() / "holiday").string();
  const auto rows = parse_json(classify({root, "--json"}).out, "stdout");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0]["file"], root + "/a/z.png");
  EXPECT_EQ(rows[1]["file"], root + "/b.png");
}

TEST_F(Classify, RefusesWrongUsage) {
  EXPECT_EQ(classify({}).code, 2);
  EXPECT_EQ(classify({good_, "-k", "0"}).code, 2);
  EXPECT_EQ(classify({good_, "--batch", "0"}).code, 2);
  EXPECT_EQ(classify({good_, "--max-pixels", "-1"}).code, 2);
}

TEST_F(Classify, KeepsToThePixelBudget) {
  const auto result = classify({good_, "--json", "--max-pixels", "5"});
  EXPECT_EQ(result.code, 3);
  EXPECT_TRUE(parse_json(result.out, "stdout")[0].contains("error"));
}

}  // namespace
}  // namespace saccade::test
