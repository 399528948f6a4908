#pragma once
// oneDNN's matrix product on one thread, for comparison only.

#include <cstdint>
#include <functional>

#include "saccade/ops/panels.h"

namespace bench {

[[nodiscard]] bool have_onednn();

/// A function that runs C[m][n] = A[m][k] . W[n][k]^T + bias with `copies` packed weights in turn;
/// empty where the build has no oneDNN or it refuses the type. For bf16 and int8 the rows of A are
/// converted once, outside of the function.
[[nodiscard]] std::function<void()> onednn_matmul(int64_t m, int64_t n, int64_t k,
                                                  saccade::DType type, const float* a,
                                                  const float* weights, const float* bias, float* c,
                                                  int copies);

}  // namespace bench
