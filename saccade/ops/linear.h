#pragma once
// The linear layer: its type rule and its reference kernel in every precision.

#include "saccade/ops/context.h"

namespace saccade::ops {

/// Longest sum of products of bytes that 32 bits hold.
inline constexpr int64_t kMaxInt8Depth = 65536;

[[nodiscard]] Type infer_linear(const Rule& rule);

/// result = activation(x weightᵀ + bias) + residual. Sums run in double. With bf16 both factors are
/// rounded to bf16 first; with int8 they become bytes, the rows of x as kernels/matmul.h of the
/// runtime says (Quantisation), a weight that is not packed yet as pack_int8_panels does.
void linear(const Call& call);

}  // namespace saccade::ops
