#include "saccade/metrics/confusion.h"

#include <numeric>

#include "saccade/base/check.h"

namespace saccade::metrics {
namespace {

double ratio(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }

double ratio(int64_t part, int64_t whole) {
  return ratio(static_cast<double>(part), static_cast<double>(whole));
}

}  // namespace

Confusion::Confusion(int64_t classes) {
  SACCADE_CHECK(classes > 0, "{} classes", classes);
  for (auto* counts : {&support_, &predicted_, &right_})
    counts->assign(static_cast<size_t>(classes), 0);
}

void Confusion::add(int64_t truth, int64_t predicted) {
  SACCADE_CHECK(truth >= 0 && truth < classes() && predicted >= 0 && predicted < classes(),
                "classes {} and {} of {}", truth, predicted, classes());
  ++cells_[{truth, predicted}];
  ++support_[static_cast<size_t>(truth)];
  ++predicted_[static_cast<size_t>(predicted)];
  if (truth == predicted) ++right_[static_cast<size_t>(truth)];
  ++count_;
}

void Confusion::merge(const Confusion& other) {
  SACCADE_CHECK(other.classes() == classes(), "{} and {} classes", classes(), other.classes());
  for (const auto& [pair, n] : other.cells_) cells_[pair] += n;
  for (size_t c = 0; c < support_.size(); ++c) {
    support_[c] += other.support_[c];
    predicted_[c] += other.predicted_[c];
    right_[c] += other.right_[c];
  }
  count_ += other.count_;
}

int64_t Confusion::at(int64_t truth, int64_t predicted) const {
  const auto it = cells_.find({truth, predicted});
  return it == cells_.end() ? 0 : it->second;
}

double Confusion::accuracy() const {
  return ratio(std::accumulate(right_.begin(), right_.end(), int64_t{0}), count_);
}

double Confusion::balanced_accuracy() const {
  double sum = 0.0;
  int64_t present = 0;
  for (size_t c = 0; c < support_.size(); ++c) {
    if (support_[c] == 0) continue;
    sum += ratio(right_[c], support_[c]);
    ++present;
  }
  return ratio(sum, static_cast<double>(present));
}

double Confusion::kappa() const {
  if (count_ == 0) return 0.0;
  const auto n = static_cast<double>(count_);
  double chance = 0.0;
  for (size_t c = 0; c < support_.size(); ++c)
    chance += static_cast<double>(support_[c]) / n * (static_cast<double>(predicted_[c]) / n);
  return chance < 1.0 ? (accuracy() - chance) / (1.0 - chance) : 0.0;
}

PrecisionRecall Confusion::of_class(int64_t cls) const {
  const auto c = static_cast<size_t>(cls);
  return {ratio(right_[c], predicted_[c]), ratio(right_[c], support_[c]),
          ratio(2 * right_[c], predicted_[c] + support_[c])};
}

template <class Weight>
PrecisionRecall Confusion::average(Weight weight) const {
  PrecisionRecall sum;
  double total = 0.0;
  for (int64_t c = 0; c < classes(); ++c) {
    const double w = weight(static_cast<size_t>(c));
    const auto one = of_class(c);
    sum.precision += w * one.precision;
    sum.recall += w * one.recall;
    sum.f1 += w * one.f1;
    total += w;
  }
  return {ratio(sum.precision, total), ratio(sum.recall, total), ratio(sum.f1, total)};
}

PrecisionRecall Confusion::macro() const {
  return average([](size_t) { return 1.0; });
}

PrecisionRecall Confusion::macro_present() const {
  return average([&](size_t c) { return support_[c] + predicted_[c] > 0 ? 1.0 : 0.0; });
}

PrecisionRecall Confusion::micro() const { return {accuracy(), accuracy(), accuracy()}; }

PrecisionRecall Confusion::weighted() const {
  return average([&](size_t c) { return static_cast<double>(support_[c]); });
}

}  // namespace saccade::metrics
