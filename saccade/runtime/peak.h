#pragma once
// The machine's own measure: multiply-adds on registers alone.

#include <string>

namespace saccade::runtime {

struct Peak {
  double gflops = 0;         ///< of all threads together, fp32
  std::string instructions;  ///< "AVX2"
};

/// Takes about a tenth of a second.
[[nodiscard]] Peak measure_peak(int threads);

}  // namespace saccade::runtime
