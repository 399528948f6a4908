#include "saccade/tasks/classify.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/tasks/batch.h"
#include "tests/support/fake_engine.h"
#include "tests/support/pictures.h"
#include "tests/support/run.h"

namespace saccade::tasks {
namespace {

Pipeline tiny_pipeline() {
  Pipeline pipeline;
  pipeline.resize = ResizeRule::exact;
  pipeline.resize_height = pipeline.resize_width = 4;
  pipeline.crop_height = pipeline.crop_width = 4;
  pipeline.do_normalize = false;
  return pipeline;
}

HostTensor picture(Shape shape, float value) {
  HostTensor tensor(DType::F32, std::move(shape));
  for (auto& x : tensor.fill<float>()) x = value;
  return tensor;
}

TEST(TopScores, SortsAndBreaksTiesByIndex) {
  const auto top = top_scores(std::vector<float>{1, 2, 1, 2, 0}, 4);
  ASSERT_EQ(top.size(), 4u);
  EXPECT_EQ(top[0].index, 1);
  EXPECT_EQ(top[1].index, 3);
  EXPECT_EQ(top[2].index, 0);
  EXPECT_EQ(top[3].index, 2);
  const double sum = 2 * std::exp(2.0) + 2 * std::exp(1.0) + 1;
  EXPECT_NEAR(top[0].score, std::exp(2.0) / sum, 1e-12);
  EXPECT_NEAR(top[3].score, std::exp(1.0) / sum, 1e-12);
}

TEST(TopScores, CutsKAtTheClasses) {
  EXPECT_EQ(top_scores(std::vector<float>{1, 2}, 5).size(), 2u);
  EXPECT_EQ(top_scores(std::vector<float>{1, 2}, 0).size(), 0u);
}

TEST(TopScores, SurvivesNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(top_scores(std::vector<float>{1, nan, 2, nan}, 4).size(), 4u);
}

TEST(Batch, StacksEqualShapes) {
  const auto batch = stack(std::vector{picture({3, 1, 2}, 1), picture({3, 1, 2}, 2)});
  EXPECT_EQ(batch.shape(), (Shape{2, 3, 1, 2}));
  EXPECT_EQ(batch.as<float>()[5], 1.0f);
  EXPECT_EQ(batch.as<float>()[6], 2.0f);
}

TEST(Batch, SplitsWhereTheSizeChanges) {
  test::FakeEngine engine(10);
  const std::vector pictures{picture({3, 2, 2}, 1 / 255.f), picture({3, 2, 2}, 2 / 255.f),
                             picture({3, 4, 2}, 3 / 255.f), picture({3, 2, 2}, 4 / 255.f)};
  const auto logits = run_logits(engine, pictures);
  EXPECT_EQ(engine.shapes, (std::vector<Shape>{{2, 3, 2, 2}, {1, 3, 4, 2}, {1, 3, 2, 2}}));
  ASSERT_EQ(logits.shape(), (Shape{4, 10}));
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(logits.as<float>()[i * 10 + i + 1], 1.0f);
}

TEST(Batch, SaysThatAModelIsNoClassifier) {
  test::FakeEngine engine(10, "boxes");
  try {
    (void)run_logits(engine, std::vector{picture({3, 2, 2}, 0)});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_supported);
    EXPECT_NE(std::string(error.what()).find("boxes"), std::string::npos);
  }
}

class ClassifyFiles : public ::testing::Test {
 protected:
  std::vector<Classified> classify(const std::vector<std::string>& files, int64_t batch = 8) {
    std::vector<Classified> answers;
    classify_files(engine_, tiny_pipeline(), files, {.top_k = 2, .batch_size = batch},
                   [&](const Classified& answer) { answers.push_back(answer); });
    return answers;
  }

  test::TemporaryFolder folder_;
  test::FakeEngine engine_{300};
};

TEST_F(ClassifyFiles, AnswersGoodOnesAndReportsBadOnes) {
  const auto good = folder_.write("good.png", test::small_png()).string();
  const auto cut = folder_.write("cut.png", test::small_png().substr(0, 50)).string();
  const auto absent = (folder_.path() / "absent.png").string();
  for (const int64_t batch : {1, 2, 8}) {
    const auto answers = classify({good, cut, absent, good}, batch);
    ASSERT_EQ(answers.size(), 4u);
    for (const size_t i : {0, 3}) {
      EXPECT_EQ(answers[i].file, good);
      EXPECT_EQ(answers[i].error, "");
      ASSERT_EQ(answers[i].top.size(), 2u);
      EXPECT_EQ(answers[i].top[0].index, 200);
      EXPECT_NEAR(answers[i].top[0].score, std::exp(1.0) / (std::exp(1.0) + 299), 1e-9);
      EXPECT_GT(answers[i].ms, 0.0);
    }
    EXPECT_NE(answers[1].error.find("cut.png"), std::string::npos) << answers[1].error;
    EXPECT_NE(answers[2].error.find("absent.png"), std::string::npos) << answers[2].error;
    EXPECT_TRUE(answers[1].top.empty());
  }
}

TEST_F(ClassifyFiles, ReportsOutputThatIsNoNumber) {
  engine_.answer = std::numeric_limits<float>::quiet_NaN();
  const auto answers = classify({folder_.write("a.png", test::small_png()).string()});
  EXPECT_NE(answers.at(0).error.find("NaN"), std::string::npos);
  EXPECT_TRUE(answers.at(0).top.empty());
}

TEST_F(ClassifyFiles, ExpandsFoldersInByteOrder) {
  folder_.write("b/2.png", "");
  folder_.write("b/10.JPG", "");
  folder_.write("b/c/1.jpeg", "");
  folder_.write("b/notes.txt", "");
  const auto file = folder_.write("a.xyz", "").string();
  const auto root = (folder_.path() / "b").string();
  EXPECT_EQ(
      expand_folders(std::vector{root, file}),
      (std::vector<std::string>{file, root + "/10.JPG", root + "/2.png", root + "/c/1.jpeg"}));
}

TEST_F(ClassifyFiles, RefusesAFolderWithoutPictures) {
  folder_.write("empty/notes.txt", "");
  EXPECT_THROW((void)expand_folders(std::vector{(folder_.path() / "empty").string()}), Error);
}

}  // namespace
}  // namespace saccade::tasks
