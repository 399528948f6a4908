#include "saccade/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "saccade/base/check.h"

namespace saccade::metrics {
namespace {

double mean(double sum, int64_t count) {
  return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

double log_sum_exp(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0.0;
  for (const double x : logits) sum += std::exp(x - largest);
  return std::log(sum) + largest;
}

}  // namespace

bool stands_before(float a, float b) { return a > b || (std::isnan(a) && !std::isnan(b)); }

int64_t first_maximum(std::span<const float> values) {
  SACCADE_CHECK(!values.empty(), "no values");
  return std::ranges::min_element(values, stands_before) - values.begin();
}

int64_t rank_of(std::span<const float> logits, int64_t label) {
  const auto own = static_cast<size_t>(label);
  SACCADE_CHECK(own < logits.size(), "label {} of {} classes", label, logits.size());
  if (std::isnan(logits[own])) return static_cast<int64_t>(logits.size());
  int64_t rank = 0;
  for (size_t c = 0; c < logits.size(); ++c)
    rank += stands_before(logits[c], logits[own]) || (logits[c] == logits[own] && c < own);
  return rank;
}

std::vector<double> softmax(std::span<const float> logits) {
  SACCADE_CHECK(!logits.empty(), "no logits");
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> probabilities(logits.size());
  double sum = 0.0;
  for (size_t c = 0; c < logits.size(); ++c)
    sum += probabilities[c] = std::exp(static_cast<double>(logits[c]) - largest);
  for (auto& p : probabilities) p /= sum;
  return probabilities;
}

Classification::Classification(int64_t classes, const std::vector<int64_t>& calibration_bins)
    : confusion_(classes), ranks_(static_cast<size_t>(classes) + 1, 0) {
  for (const auto bins : calibration_bins) calibrations_.emplace_back(bins);
}

void Classification::add(std::span<const float> logits, int64_t label) {
  SACCADE_CHECK(static_cast<int64_t>(logits.size()) == classes(), "{} logits for {} classes",
                logits.size(), classes());
  const auto rank = rank_of(logits, label);
  ++ranks_[static_cast<size_t>(rank)];
  const auto predicted = first_maximum(logits);
  confusion_.add(label, predicted);

  const auto probabilities = softmax(logits);
  for (auto& calibration : calibrations_)
    calibration.add(probabilities[static_cast<size_t>(predicted)], rank == 0);
  nll_ += log_sum_exp(logits) - static_cast<double>(logits[static_cast<size_t>(label)]);
  for (size_t c = 0; c < probabilities.size(); ++c) {
    const double truth = static_cast<int64_t>(c) == label ? 1.0 : 0.0;
    brier_ += (probabilities[c] - truth) * (probabilities[c] - truth);
  }
}

void Classification::add(const HostTensor& logits, std::span<const int64_t> labels) {
  SACCADE_CHECK(logits.shape() == (Shape{static_cast<int64_t>(labels.size()), classes()}),
                "logits {} for {} labels of {} classes", to_string(logits.shape()), labels.size(),
                classes());
  const auto values = logits.as<float>();
  const auto width = static_cast<size_t>(classes());
  for (size_t i = 0; i < labels.size(); ++i) add(values.subspan(i * width, width), labels[i]);
}

void Classification::merge(const Classification& other) {
  SACCADE_CHECK(other.calibrations_.size() == calibrations_.size(), "other calibrations");
  confusion_.merge(other.confusion_);
  for (size_t i = 0; i < calibrations_.size(); ++i) calibrations_[i].merge(other.calibrations_[i]);
  for (size_t i = 0; i < ranks_.size(); ++i) ranks_[i] += other.ranks_[i];
  nll_ += other.nll_;
  brier_ += other.brier_;
}

double Classification::top(int64_t k) const {
  const auto end = ranks_.begin() + std::clamp<int64_t>(k, 0, classes());
  return mean(static_cast<double>(std::accumulate(ranks_.begin(), end, int64_t{0})), count());
}

double Classification::nll() const { return mean(nll_, count()); }

double Classification::brier() const { return mean(brier_, count()); }

Json summary(const Classification& metrics) {
  const auto& confusion = metrics.confusion();
  const auto macro = confusion.macro();
  Json json{{"top1", metrics.top(1)},       {"top5", metrics.top(5)}, {"count", metrics.count()},
            {"classes", metrics.classes()}, {"nll", metrics.nll()},   {"brier", metrics.brier()}};
  if (!metrics.calibrations().empty()) {
    json["ece"] = metrics.calibrations().front().expected_error();
    json["mce"] = metrics.calibrations().front().maximum_error();
  }
  json["balanced_accuracy"] = confusion.balanced_accuracy();
  json["kappa"] = confusion.kappa();
  json["precision"] = macro.precision;
  json["recall"] = macro.recall;
  json["f1"] = macro.f1;
  return json;
}

Json per_class(const Classification& metrics) {
  Json rows = Json::array();
  for (int64_t c = 0; c < metrics.classes(); ++c) {
    const auto [precision, recall, f1] = metrics.confusion().of_class(c);
    rows.push_back({{"class", c},
                    {"support", metrics.confusion().support(c)},
                    {"precision", precision},
                    {"recall", recall},
                    {"f1", f1}});
  }
  return rows;
}

}  // namespace saccade::metrics
