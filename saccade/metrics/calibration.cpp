#include "saccade/metrics/calibration.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/check.h"

namespace saccade::metrics {

Calibration::Calibration(int64_t bins) {
  SACCADE_CHECK(bins > 0, "{} bins", bins);
  sums_.resize(static_cast<size_t>(bins));
}

void Calibration::add(double confidence, bool correct) {
  ++samples_;
  if (!(confidence > 0.0)) return;
  // Edges i * (1 / bins) in double, as numpy.linspace has them: the quotient only finds the place.
  const auto bins = static_cast<double>(sums_.size());
  const double width = 1.0 / bins;
  auto bin = std::clamp(std::ceil(confidence * bins) - 1.0, 0.0, bins - 1.0);
  if (bin > 0.0 && confidence <= bin * width) bin -= 1.0;
  if (bin + 1.0 < bins && confidence > (bin + 1.0) * width) bin += 1.0;
  auto& sums = sums_[static_cast<size_t>(bin)];
  ++sums.count;
  sums.correct += correct ? 1 : 0;
  sums.confidence += confidence;
}

void Calibration::merge(const Calibration& other) {
  SACCADE_CHECK(other.sums_.size() == sums_.size(), "{} and {} bins", sums_.size(),
                other.sums_.size());
  for (size_t i = 0; i < sums_.size(); ++i) {
    sums_[i].count += other.sums_[i].count;
    sums_[i].correct += other.sums_[i].correct;
    sums_[i].confidence += other.sums_[i].confidence;
  }
  samples_ += other.samples_;
}

std::vector<Calibration::Bin> Calibration::bins() const {
  std::vector<Bin> bins;
  for (const auto& sums : sums_) {
    const auto count = static_cast<double>(std::max<int64_t>(sums.count, 1));
    bins.push_back(
        {sums.count, static_cast<double>(sums.correct) / count, sums.confidence / count});
  }
  return bins;
}

double Calibration::expected_error() const {
  double error = 0.0;
  for (const auto& bin : bins())
    error += static_cast<double>(bin.count) * std::abs(bin.accuracy - bin.confidence);
  return samples_ > 0 ? error / static_cast<double>(samples_) : 0.0;
}

double Calibration::maximum_error() const {
  double largest = 0.0;
  for (const auto& bin : bins())
    if (bin.count > 0) largest = std::max(largest, std::abs(bin.accuracy - bin.confidence));
  return largest;
}

}  // namespace saccade::metrics
