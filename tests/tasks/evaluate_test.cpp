#include "saccade/tasks/evaluate.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "tests/support/fake_engine.h"

namespace saccade::tasks {
namespace {

using Names = std::vector<std::string>;

/// Picture i of 2x2 has the value i, so FakeEngine(classes) calls it class i % classes.
class CountingSet : public data::ImageDataset {
 public:
  CountingSet(std::vector<int64_t> labels, Names classes)
      : labels_(std::move(labels)), classes_(std::move(classes)) {}

  int64_t size() const override { return static_cast<int64_t>(labels_.size()); }
  int64_t label(int64_t index) const override { return labels_[static_cast<size_t>(index)]; }
  std::string name(int64_t index) const override { return fmt::format("{}", index); }
  const Names& classes() const override { return classes_; }
  image::Image image(int64_t index) const override {
    if (index == broken) throw input_error(name(index), "is broken");
    return {2, 2, 3, std::vector<uint8_t>(12, static_cast<uint8_t>(index))};
  }

  int64_t broken = -1;

 private:
  std::vector<int64_t> labels_;
  Names classes_;
};

Pipeline plain_pipeline() {
  Pipeline pipeline;
  pipeline.resize = ResizeRule::none;
  pipeline.crop = CropRule::none;
  pipeline.crop_height = pipeline.crop_width = 2;
  pipeline.do_normalize = false;
  return pipeline;
}

Evaluation run(const CountingSet& set, const Names& labels, int64_t classes,
               EvaluateOptions options = {}) {
  test::FakeEngine engine(classes);
  options.where = "set";
  return evaluate(engine, plain_pipeline(), set, labels, options);
}

TEST(Evaluate, CountsWhatIsRightWhateverTheBatch) {
  // Truth 0, 1, 2, 0, 1, ... but every fifth is wrong.
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 40; ++i) labels.push_back((i + (i % 5 == 0 ? 1 : 0)) % 3);
  const CountingSet set(labels, {"a", "b", "c"});
  const auto whole = run(set, {}, 3);
  EXPECT_EQ(whole.metrics.count(), 40);
  EXPECT_DOUBLE_EQ(whole.metrics.top(1), 0.8);
  EXPECT_EQ(whole.classes.matched_by(), "order");
  for (const int64_t batch : {1, 7, 40})
    EXPECT_EQ(summary(run(set, {}, 3, {.batch_size = batch, .threads = 3}).metrics),
              summary(whole.metrics));
}

TEST(Evaluate, MapsClassesByLabel) {
  const CountingSet set({1, 0, 1, 0}, {"cat", "dog"});  // pictures are classes 0, 1, 2, 3
  const auto result = run(set, {"Dog", "cat", "a", "b", "c"}, 5);
  EXPECT_EQ(result.classes.model_class, (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(result.classes.matched_by(), "label");
  EXPECT_DOUBLE_EQ(result.metrics.top(1), 0.5);
  EXPECT_EQ(result.metrics.classes(), 5);
}

TEST(Evaluate, ALimitIsSpreadOverTheSet) {
  std::vector<int64_t> labels(100, 0);
  std::fill(labels.begin() + 50, labels.end(), 1);
  const auto result = run(CountingSet(labels, {"a", "b"}), {}, 2, {.limit = 10});
  EXPECT_EQ(result.metrics.count(), 10);
  EXPECT_EQ(result.metrics.confusion().support(0), 5);
  EXPECT_EQ(run(CountingSet(labels, {"a", "b"}), {}, 2, {.limit = 1000}).metrics.count(), 100);
}

TEST(Evaluate, ReportsEveryBatch) {
  test::FakeEngine engine(2);
  int64_t pictures = 0, calls = 0;
  const auto result =
      evaluate(engine, plain_pipeline(), CountingSet(std::vector<int64_t>(9, 0), {"a", "b"}), {},
               {.batch_size = 4}, [&](int64_t n, const auto& so_far) {
                 pictures += n;
                 ++calls;
                 EXPECT_EQ(so_far.count(), pictures);
               });
  EXPECT_EQ(pictures, 9);
  EXPECT_EQ(calls, 3);
}

TEST(Evaluate, StopsAtABrokenPicture) {
  CountingSet set(std::vector<int64_t>(20, 0), {"a", "b"});
  set.broken = 13;
  EXPECT_THROW((void)run(set, {}, 2), Error);
  EXPECT_THROW((void)run(CountingSet({}, {"a", "b"}), {}, 2), Error);
}

TEST(MatchClasses, ReadsSynonymsAndSpelling) {
  const auto map =
      match_classes(Names{"Tinca tinca", "french_horn", "goldfish"},
                    Names{"goldfish", "tench, Tinca tinca", "French horn, horn"}, 3, "set");
  EXPECT_EQ(map.model_class, (std::vector<int64_t>{1, 2, 0}));
  EXPECT_TRUE(map.by_label);
}

TEST(MatchClasses, ADoubleLabelMatchesNothing) {
  const Names labels{"crane", "heron", "crane"};
  EXPECT_THROW((void)match_classes(Names{"crane", "heron"}, labels, 3, "set"), Error);
  EXPECT_EQ(match_classes(Names{"heron"}, labels, 3, "set").model_class, std::vector<int64_t>{1});
}

TEST(MatchClasses, FallsBackToOrderWhereCountsAgree) {
  const auto map = match_classes(Names{"n01", "n02"}, Names{"tench", "goldfish"}, 2, "set");
  EXPECT_EQ(map.model_class, (std::vector<int64_t>{0, 1}));
  EXPECT_FALSE(map.by_label);
  EXPECT_EQ(match_classes(Names{"x", "y"}, {}, 2, "set").matched_by(), "order");
}

TEST(MatchClasses, RefusesWhatDoesNotFit) {
  const auto refused = [](const Names& names, const Names& labels, int64_t classes) {
    try {
      (void)match_classes(names, labels, classes, "set");
      ADD_FAILURE() << "matched";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find("set: "), std::string::npos) << error.what();
    }
  };
  refused({"n01", "n02"}, {"tench", "goldfish", "shark"}, 3);
  refused({"n01", "n02"}, {}, 3);
  refused({"b", "a", "zebra"}, {"a", "b", "c"}, 3);  // the order contradicts the two that are known
  refused({"a", "A"}, {"a", "b", "c"}, 3);
}

}  // namespace
}  // namespace saccade::tasks
