#include "saccade/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "saccade/base/random.h"

namespace saccade::metrics {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Data {
  int64_t classes;
  std::vector<float> logits;
  std::vector<int64_t> labels;

  std::span<const float> row(size_t i) const {
    const auto width = static_cast<size_t>(classes);
    return std::span(logits).subspan(i * width, width);
  }
};

/// Logits in steps of 0.5, so that there are ties; the last class never occurs as a label.
Data make_data(int64_t samples, int64_t classes, uint64_t seed) {
  Random random(seed, 0, 0, "metrics");
  Data data{classes, {}, {}};
  for (int64_t i = 0; i < samples * classes; ++i)
    data.logits.push_back(static_cast<float>(random.below(9)) * 0.5f - 2.0f);
  for (int64_t i = 0; i < samples; ++i)
    data.labels.push_back(static_cast<int64_t>(
        random.below(static_cast<uint64_t>(std::max<int64_t>(classes - 1, 1)))));
  return data;
}

Classification measure(const Data& data, const std::vector<int64_t>& bins = {15}) {
  Classification metrics(data.classes, bins);
  for (size_t i = 0; i < data.labels.size(); ++i) metrics.add(data.row(i), data.labels[i]);
  return metrics;
}

TEST(RankOf, BreaksTiesByIndex) {
  const std::vector<float> logits{1, 3, 3, 2, 3};
  EXPECT_EQ(rank_of(logits, 1), 0);
  EXPECT_EQ(rank_of(logits, 2), 1);
  EXPECT_EQ(rank_of(logits, 4), 2);
  EXPECT_EQ(rank_of(logits, 3), 3);
  EXPECT_EQ(rank_of(logits, 0), 4);
  EXPECT_EQ(first_maximum(logits), 1);
}

TEST(RankOf, AgreesWithAStableSort) {
  const auto data = make_data(200, 7, 1);
  for (size_t i = 0; i < data.labels.size(); ++i) {
    const auto row = data.row(i);
    std::vector<int64_t> order(7);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::greater{},
                             [&](int64_t c) { return row[static_cast<size_t>(c)]; });
    for (int64_t c = 0; c < 7; ++c)
      EXPECT_EQ(rank_of(row, c), std::ranges::find(order, c) - order.begin());
    EXPECT_EQ(first_maximum(row), order.front());
  }
}

TEST(RankOf, ANanIsNeverRight) {
  EXPECT_EQ(rank_of(std::vector<float>{kNan, 1, 2}, 0), 3);
  EXPECT_EQ(rank_of(std::vector<float>{kNan, 1, 2}, 2), 1);
  EXPECT_EQ(rank_of(std::vector<float>{kNan, kNan}, 1), 2);
  EXPECT_EQ(rank_of(std::vector<float>{-kInfinity, -kInfinity}, 0), 0);
}

TEST(Classification, HandCountedExample) {
  Classification metrics(3, {10});
  const float a = std::log(0.7f), b = std::log(0.2f), c = std::log(0.1f);
  metrics.add(std::vector<float>{a, b, c}, 0);  // right, confidence 0.7
  metrics.add(std::vector<float>{b, a, c}, 0);  // second, confidence 0.7
  EXPECT_EQ(metrics.count(), 2);
  EXPECT_DOUBLE_EQ(metrics.top(1), 0.5);
  EXPECT_DOUBLE_EQ(metrics.top(2), 1.0);
  EXPECT_DOUBLE_EQ(metrics.top(99), 1.0);
  EXPECT_NEAR(metrics.nll(), -(std::log(0.7) + std::log(0.2)) / 2, 1e-6);
  EXPECT_NEAR(metrics.brier(), ((0.09 + 0.04 + 0.01) + (0.64 + 0.49 + 0.01)) / 2, 1e-6);
  EXPECT_NEAR(metrics.calibrations()[0].expected_error(), 0.2, 1e-6);
  EXPECT_NEAR(metrics.calibrations()[0].maximum_error(), 0.2, 1e-6);
}

TEST(Classification, BatchesDoNotMatter) {
  const auto data = make_data(57, 6, 2);
  const auto whole = measure(data, {10, 15});
  for (const size_t batch : {1, 7, 57}) {
    Classification cut(6, {10, 15}), merged(6, {10, 15});
    for (size_t i = 0; i < data.labels.size(); i += batch) {
      const auto n = std::min(batch, data.labels.size() - i);
      const auto rows = std::span(data.logits).subspan(i * 6, n * 6);
      const auto logits = HostTensor::of<float>({static_cast<int64_t>(n), 6}, rows);
      const auto labels = std::span(data.labels).subspan(i, n);
      cut.add(logits, labels);
      Classification part(6, {10, 15});
      part.add(logits, labels);
      merged.merge(part);
    }
    EXPECT_EQ(summary(cut), summary(whole));
    EXPECT_EQ(merged.confusion().cells(), whole.confusion().cells());
    EXPECT_EQ(merged.top(3), whole.top(3));
    EXPECT_NEAR(merged.nll(), whole.nll(), 1e-12);
    EXPECT_NEAR(merged.calibrations()[1].expected_error(), whole.calibrations()[1].expected_error(),
                1e-12);
  }
}

TEST(Classification, LargeLogitsStayFinite) {
  Classification metrics(2);
  metrics.add(std::vector<float>{1e30f, -1e30f}, 1);
  EXPECT_TRUE(std::isfinite(metrics.nll()));
  EXPECT_DOUBLE_EQ(metrics.brier(), 2.0);
}

TEST(Classification, NothingMeasuredIsZero) {
  const Classification metrics(4);
  EXPECT_EQ(metrics.top(1), 0.0);
  EXPECT_EQ(metrics.nll(), 0.0);
  EXPECT_EQ(summary(metrics)["count"], 0);
}

TEST(Confusion, AveragesOverDifferentSetsOfClasses) {
  Confusion confusion(4);  // class 3 never occurs
  for (int i = 0; i < 3; ++i) confusion.add(0, 0);
  confusion.add(0, 1);
  confusion.add(1, 1);
  confusion.add(1, 2);  // class 2 is predicted, never true
  const auto zero = confusion.of_class(0), two = confusion.of_class(2);
  EXPECT_DOUBLE_EQ(zero.precision, 1.0);
  EXPECT_DOUBLE_EQ(zero.recall, 0.75);
  EXPECT_DOUBLE_EQ(zero.f1, 6.0 / 7.0);
  EXPECT_DOUBLE_EQ(two.precision, 0.0);
  EXPECT_DOUBLE_EQ(confusion.macro().precision, 1.5 / 4);
  EXPECT_DOUBLE_EQ(confusion.macro_present().precision, 1.5 / 3);
  EXPECT_DOUBLE_EQ(confusion.weighted().precision, (4 * 1.0 + 2 * 0.5) / 6);
  EXPECT_DOUBLE_EQ(confusion.micro().f1, 4.0 / 6);
  EXPECT_DOUBLE_EQ(confusion.balanced_accuracy(), (0.75 + 0.5) / 2);
  EXPECT_EQ(confusion.at(1, 2), 1);
  EXPECT_EQ(confusion.at(2, 1), 0);
}

TEST(Confusion, KappaIsAgreementBeyondChance) {
  Confusion confusion(2);
  for (int i = 0; i < 20; ++i) confusion.add(0, 0);
  for (int i = 0; i < 5; ++i) confusion.add(0, 1);
  for (int i = 0; i < 10; ++i) confusion.add(1, 0);
  for (int i = 0; i < 15; ++i) confusion.add(1, 1);
  EXPECT_NEAR(confusion.kappa(), 0.4, 1e-12);
}

TEST(Calibration, BinsAreOpenBelowAndClosedAbove) {
  for (const int64_t bins : {3, 10, 15, 20, 49}) {
    const double width = 1.0 / static_cast<double>(bins);
    for (int64_t i = 0; i < bins; ++i) {
      const double edge = static_cast<double>(i + 1) * width;
      Calibration at(bins), above(bins);
      at.add(std::min(edge, 1.0), true);
      EXPECT_EQ(at.bins()[static_cast<size_t>(i)].count, 1) << bins << " bins, edge " << i;
      if (i + 1 == bins) continue;
      above.add(std::nextafter(edge, 2.0), true);
      EXPECT_EQ(above.bins()[static_cast<size_t>(i + 1)].count, 1) << bins << " bins, edge " << i;
    }
  }
}

TEST(Calibration, ZeroAndNanBelongToNoBin) {
  Calibration calibration(5);
  calibration.add(0.0, false);
  calibration.add(std::nan(""), true);
  for (const auto& bin : calibration.bins()) EXPECT_EQ(bin.count, 0);
  calibration.add(0.5, true);
  EXPECT_DOUBLE_EQ(calibration.expected_error(), 0.5 / 3);
  EXPECT_DOUBLE_EQ(calibration.maximum_error(), 0.5);
}

}  // namespace
}  // namespace saccade::metrics
