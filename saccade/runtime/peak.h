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

/// What the products of each precision run on here.
struct Arithmetic {
  std::string fp32, bf16, int8;  ///< instruction sets: "AVX3", "AVX512-BF16", "AVX512-VNNI"
  bool computes_bf16 = false;    ///< else bf16 weights are widened and rows stay fp32
};
[[nodiscard]] Arithmetic arithmetic();

}  // namespace saccade::runtime
