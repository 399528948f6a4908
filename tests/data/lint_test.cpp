#include "saccade/data/lint.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade::data {
namespace {

/// A data set with every fault one wants.
class Faulty : public ImageDataset {
 public:
  std::vector<int64_t> labels;
  std::vector<std::string> names{"a", "b"};
  std::vector<int64_t> broken;
  std::vector<std::string> left_out;

  int64_t size() const override { return static_cast<int64_t>(labels.size()); }
  int64_t label(int64_t index) const override { return labels[static_cast<size_t>(index)]; }
  std::string name(int64_t index) const override { return fmt::format("{}.png", index); }
  const std::vector<std::string>& classes() const override { return names; }
  std::vector<std::string> skipped() const override { return left_out; }
  image::Image image(int64_t index) const override {
    if (std::ranges::count(broken, index)) throw input_error(name(index), "is broken");
    return {1, 1, 3, {0, 0, 0}};
  }
};

const LintFinding* finding(const LintReport& report, std::string_view part) {
  const auto it = std::ranges::find_if(
      report.findings, [&](const auto& f) { return f.problem.find(part) != std::string::npos; });
  return it == report.findings.end() ? nullptr : &*it;
}

TEST(Lint, PassesACleanSet) {
  Faulty set;
  set.labels = {0, 1, 1};
  const auto report = lint(set);
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.per_class, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(report.decoded, 3);
}

TEST(Lint, FindsLabelsOutsideTheClasses) {
  Faulty set;
  set.labels = {0, 2, -1, 1};
  const auto report = lint(set);
  EXPECT_FALSE(report.ok());
  ASSERT_NE(finding(report, "labels outside"), nullptr);
  EXPECT_EQ(finding(report, "labels outside")->count, 2);
  EXPECT_EQ(finding(report, "labels outside")->examples.front(), "1.png: 2 of 2 classes");
}

TEST(Lint, NotesEmptyClassesAndFilesLeftOut) {
  Faulty set;
  set.labels = {1};
  set.left_out = {"b/notes.txt"};
  const auto report = lint(set);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(finding(report, "classes without a picture")->examples,
            (std::vector<std::string>{"a"}));
  EXPECT_EQ(finding(report, "left out")->count, 1);
}

TEST(Lint, RefusesDoubleNamesAndEmptySets) {
  Faulty set;
  set.names = {"a", "a"};
  const auto report = lint(set);
  EXPECT_NE(finding(report, "occur twice"), nullptr);
  EXPECT_NE(finding(report, "without a sample"), nullptr);
  EXPECT_FALSE(report.ok());
}

TEST(Lint, ReportsBrokenPicturesInABoundedWay) {
  Faulty set;
  set.labels.assign(200, 0);
  for (int64_t i = 50; i < 150; ++i) set.broken.push_back(i);
  const auto report = lint(set, {.pictures = -1, .examples = 3});
  const auto* broken = finding(report, "cannot be read");
  ASSERT_NE(broken, nullptr);
  EXPECT_EQ(broken->count, 100);
  EXPECT_EQ(broken->examples.size(), 3u);
  EXPECT_EQ(broken->examples.front(), "50.png: is broken");
  EXPECT_NE(to_text(report).find("and 97 more"), std::string::npos) << to_text(report);
}

TEST(Lint, SpreadsASampleOverTheSet) {
  Faulty set;
  set.labels.assign(1000, 0);
  for (int64_t i = 900; i < 1000; ++i) set.broken.push_back(i);
  const auto report = lint(set, {.pictures = 100});
  EXPECT_EQ(report.decoded, 100);
  EXPECT_EQ(finding(report, "cannot be read")->count, 10);
}

}  // namespace
}  // namespace saccade::data
