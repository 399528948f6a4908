#pragma once
// Everything that logits and labels say about a classifier, in one pass. Counts and sums are kept,
// never averages, so the result does not depend on how the samples are cut into batches.

#include <cstdint>
#include <span>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/base/tensor.h"
#include "saccade/metrics/calibration.h"
#include "saccade/metrics/confusion.h"

namespace saccade::metrics {

/// The order of scores: larger ones first, NaN before all of them.
[[nodiscard]] bool stands_before(float a, float b);

/// Index of the first maximum (numpy and torch on the CPU); a NaN counts as the largest value.
[[nodiscard]] int64_t first_maximum(std::span<const float> values);

/// How many classes stand before `label` when sorted by falling logit, equal logits by rising
/// index: the sample is right in the top k if that is below k. A NaN at another class stands before
/// it; the label's own NaN is never right.
[[nodiscard]] int64_t rank_of(std::span<const float> logits, int64_t label);

/// Probabilities in double.
[[nodiscard]] std::vector<double> softmax(std::span<const float> logits);

class Classification {
 public:
  explicit Classification(int64_t classes, const std::vector<int64_t>& calibration_bins = {15});

  /// `logits` [classes], `label` in [0, classes).
  void add(std::span<const float> logits, int64_t label);
  /// `logits` [B, classes] F32, one label for each row.
  void add(const HostTensor& logits, std::span<const int64_t> labels);
  void merge(const Classification& other);

  [[nodiscard]] int64_t count() const { return confusion_.count(); }
  [[nodiscard]] int64_t classes() const { return confusion_.classes(); }
  /// Share of the samples whose label is among the k largest logits; k is cut at the classes.
  [[nodiscard]] double top(int64_t k) const;
  /// Mean negative log-likelihood (cross-entropy) in nats.
  [[nodiscard]] double nll() const;
  /// Mean over samples of the sum over classes of (probability - truth)^2, not halved.
  [[nodiscard]] double brier() const;
  [[nodiscard]] const Confusion& confusion() const { return confusion_; }
  /// In the order of the constructor's `calibration_bins`.
  [[nodiscard]] const std::vector<Calibration>& calibrations() const { return calibrations_; }

 private:
  Confusion confusion_;
  std::vector<Calibration> calibrations_;
  std::vector<int64_t> ranks_;  ///< samples by rank_of; one more place for those never right
  double nll_ = 0.0, brier_ = 0.0;
};

/// {"top1", "top5", "count", "classes", "nll", "brier", "ece", "mce", "balanced_accuracy", "kappa",
/// "precision", "recall", "f1"}: fractions; the last three are macro averages over all classes; ece
/// and mce from the first calibration.
[[nodiscard]] Json summary(const Classification& metrics);
/// [{"class", "support", "precision", "recall", "f1"}] for every class.
[[nodiscard]] Json per_class(const Classification& metrics);

}  // namespace saccade::metrics
