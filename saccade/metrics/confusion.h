#pragma once
// The confusion matrix and what follows from it. Definitions as in scikit-learn with
// zero_division = 0.

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace saccade::metrics {

/// Of one class, or an average over classes; fractions.
struct PrecisionRecall {
  double precision = 0.0;
  double recall = 0.0;
  double f1 = 0.0;
};

/// Counts of (true class, predicted class). Only pairs that occurred take memory.
class Confusion {
 public:
  explicit Confusion(int64_t classes);

  /// Both in [0, classes).
  void add(int64_t truth, int64_t predicted);
  /// Adds the counts of another matrix of as many classes.
  void merge(const Confusion& other);

  [[nodiscard]] int64_t classes() const { return static_cast<int64_t>(support_.size()); }
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] int64_t at(int64_t truth, int64_t predicted) const;
  /// Samples of the class.
  [[nodiscard]] int64_t support(int64_t cls) const { return support_[static_cast<size_t>(cls)]; }
  /// The pairs that occurred, by truth, then by prediction.
  [[nodiscard]] const std::map<std::pair<int64_t, int64_t>, int64_t>& cells() const {
    return cells_;
  }

  [[nodiscard]] double accuracy() const;
  /// Mean recall of the classes that have samples.
  [[nodiscard]] double balanced_accuracy() const;
  /// Cohen's kappa: agreement beyond what the marginals give by chance.
  [[nodiscard]] double kappa() const;
  [[nodiscard]] PrecisionRecall of_class(int64_t cls) const;
  /// Mean over all classes, those that never occur included.
  [[nodiscard]] PrecisionRecall macro() const;
  /// Mean over the classes that occur as truth or as prediction.
  [[nodiscard]] PrecisionRecall macro_present() const;
  /// From the sums over all classes: all three equal the accuracy.
  [[nodiscard]] PrecisionRecall micro() const;
  /// Mean weighted by the samples of each class.
  [[nodiscard]] PrecisionRecall weighted() const;

 private:
  template <class Weight>
  [[nodiscard]] PrecisionRecall average(Weight weight) const;

  std::map<std::pair<int64_t, int64_t>, int64_t> cells_;
  std::vector<int64_t> support_, predicted_, right_;  ///< per class
  int64_t count_ = 0;
};

}  // namespace saccade::metrics
