#pragma once
// How far confidences are from accuracies: Guo et al. 2017, "On Calibration of Modern Neural
// Networks".

#include <cstdint>
#include <vector>

namespace saccade::metrics {

/// Bins of equal width over (0, 1]; bin i holds confidences in (i / bins, (i + 1) / bins].
class Calibration {
 public:
  explicit Calibration(int64_t bins);

  /// `confidence`: probability of the predicted class. Zero and NaN belong to no bin and count
  /// only as samples.
  void add(double confidence, bool correct);
  void merge(const Calibration& other);

  struct Bin {
    int64_t count = 0;
    double accuracy = 0.0;    ///< mean; 0 in an empty bin
    double confidence = 0.0;  ///< mean; 0 in an empty bin
  };
  [[nodiscard]] std::vector<Bin> bins() const;
  /// Expected calibration error: gaps |accuracy - confidence| weighted by the bins' samples.
  [[nodiscard]] double expected_error() const;
  /// The largest gap of a bin that has samples.
  [[nodiscard]] double maximum_error() const;

 private:
  struct Sums {
    int64_t count = 0, correct = 0;
    double confidence = 0.0;
  };
  std::vector<Sums> sums_;
  int64_t samples_ = 0;
};

}  // namespace saccade::metrics
