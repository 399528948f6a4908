#pragma once
// The machine's own measure: multiply-adds on registers alone.

#include <string>
#include <string_view>

#include "saccade/ops/op.h"

namespace saccade::runtime {

/// What the products of each precision run on here.
struct Arithmetic {
  std::string fp32, bf16, int8;  ///< instruction sets: "AVX3", "AVX512-BF16", "AVX512-VNNI"
  bool computes_bf16 = false;    ///< else bf16 weights are widened and rows stay fp32
};
[[nodiscard]] Arithmetic arithmetic();

/// Goes without better instructions than "avx2", "sse4" or "ssse3", as a processor without them
/// would; for measurements, before anything runs. Throws Error: usage for another name, resources
/// if this processor lacks them itself.
void restrict_instructions(std::string_view name);

/// GFLOP/s of all threads together. What bf16 and int8 run on may be slower than fp32: the peak is
/// of the instructions that are used.
struct Peak {
  double fp32 = 0, bf16 = 0, int8 = 0;
  [[nodiscard]] double of(ops::Precision precision) const {
    return precision == ops::Precision::fp32   ? fp32
           : precision == ops::Precision::bf16 ? bf16
                                               : int8;
  }
};
/// Takes about a third of a second. Other work on the machine shows little.
[[nodiscard]] Peak measure_peak(int threads);

}  // namespace saccade::runtime
