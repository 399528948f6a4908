#pragma once
// Operators that go over rows or elements once: norms, softmax, activations, sums, means.
// fp32, dense rows unless a stride is given. Tasks are of fixed size; the same bits for any number
// of threads.

#include <cstdint>
#include <span>

#include "saccade/runtime/kernels/packing.h"
#include "saccade/runtime/kernels/pool.h"
#include "saccade/runtime/kernels/table.h"

namespace saccade::runtime::kernels {

/// y[r] = norm(x[r]) [+ residual[r]] for `rows` rows of n; y may be x.
void layer_norm_rows(const float* x, int64_t rows, int64_t n, const Norm& norm,
                     const float* residual, float* y, Pool& pool);

/// Rows of the matrix product that comes next: packing.rows rows of packing.k, packed. `scratch`
/// has layer_norm_scratch() bytes.
void layer_norm_rows(const float* x, const Norm& norm, const Packing& packing, std::byte* y,
                     Pool& pool, std::span<std::byte> scratch);
[[nodiscard]] int64_t layer_norm_scratch(const Packing& packing, int threads);

/// y[r] = softmax(x[r]); y may be x.
void softmax_rows(const float* x, int64_t rows, int64_t n, float* y, Pool& pool);

/// y = activation(x); y may be x.
void activate(Activation activation, const float* x, int64_t count, float* y, Pool& pool);

/// y = a + b, y = a * b; y may be a or b.
void add(const float* a, const float* b, int64_t count, float* y, Pool& pool);
void multiply(const float* a, const float* b, int64_t count, float* y, Pool& pool);
/// The same with one b of n elements for every row of n.
void add_row(const float* a, const float* b, int64_t rows, int64_t n, float* y, Pool& pool);
void multiply_row(const float* a, const float* b, int64_t rows, int64_t n, float* y, Pool& pool);

/// y[image][n] = mean over `rows` rows of x: row r at x + image * image_stride + r * row_stride.
void mean_rows(const float* x, int64_t images, int64_t image_stride, int64_t rows,
               int64_t row_stride, int64_t n, float* y, Pool& pool);

}  // namespace saccade::runtime::kernels
