#include "saccade/runtime/kernels/row_ops.h"

#include <algorithm>

#include "saccade/runtime/kernels/tiling.h"

namespace saccade::runtime::kernels {
namespace {

constexpr int64_t kRowsAtOnce = 4;  // normalised, then packed

using Binary = void (*)(const float*, const float*, int64_t, float*);

void combine(Binary function, const float* a, const float* b, int64_t count, float* y, Pool& pool) {
  for_rows(count, 1, pool, [&](int64_t begin, int64_t end) {
    function(a + begin, b + begin, end - begin, y + begin);
  });
}

void combine_row(Binary function, const float* a, const float* b, int64_t rows, int64_t n, float* y,
                 Pool& pool) {
  for_rows(rows, n, pool, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) function(a + r * n, b, n, y + r * n);
  });
}

}  // namespace

void layer_norm_rows(const float* x, int64_t rows, int64_t n, const Norm& norm,
                     const float* residual, float* y, Pool& pool) {
  const auto function = kernel_table().rows.layer_norm;
  for_rows(rows, n, pool, [&](int64_t begin, int64_t end) {
    function(x + begin * n, end - begin, n, norm,
             residual != nullptr ? residual + begin * n : nullptr, y + begin * n);
  });
}

int64_t layer_norm_scratch(const Packing& packing, int threads) {
  return kRowsAtOnce * packing.k * static_cast<int64_t>(sizeof(float)) * threads;
}

void layer_norm_rows(const float* x, const Norm& norm, const Packing& packing, std::byte* y,
                     Pool& pool, std::span<std::byte> scratch) {
  const RowFunctions functions = kernel_table().rows;
  const int64_t n = packing.k;
  pool.run(packing.tiles, [&](int64_t task, int thread) {
    const Range rows = packing.tile(task);
    auto [to, stride] = packing.place(y, rows);
    float* normal = reinterpret_cast<float*>(scratch.data()) + thread * kRowsAtOnce * n;
    for (int64_t begin = rows.begin; begin < rows.end; begin += kRowsAtOnce) {
      const int64_t count = std::min(kRowsAtOnce, rows.end - begin);
      functions.layer_norm(x + begin * n, count, n, norm, nullptr, normal);
      for (int64_t r = 0; r < count; ++r, to += kPieceBytes) {
        if (packing.format == RowFormat::bf16)
          functions.pack_bf16(normal + r * n, n, to, stride);
        else
          functions.pack_row(packing.format, normal + r * n, n, 0, 0, to, stride);
      }
    }
  });
}

void softmax_rows(const float* x, int64_t rows, int64_t n, float* y, Pool& pool) {
  const auto function = kernel_table().rows.softmax;
  for_rows(rows, n, pool, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) function(x + r * n, n, y + r * n);
  });
}

void activate(Activation activation, const float* x, int64_t count, float* y, Pool& pool) {
  const auto function = kernel_table().rows.activate;
  for_rows(count, 1, pool, [&](int64_t begin, int64_t end) {
    function(activation, x + begin, end - begin, y + begin);
  });
}

void add(const float* a, const float* b, int64_t count, float* y, Pool& pool) {
  combine(kernel_table().rows.add, a, b, count, y, pool);
}

void multiply(const float* a, const float* b, int64_t count, float* y, Pool& pool) {
  combine(kernel_table().rows.multiply, a, b, count, y, pool);
}

void add_row(const float* a, const float* b, int64_t rows, int64_t n, float* y, Pool& pool) {
  combine_row(kernel_table().rows.add, a, b, rows, n, y, pool);
}

void multiply_row(const float* a, const float* b, int64_t rows, int64_t n, float* y, Pool& pool) {
  combine_row(kernel_table().rows.multiply, a, b, rows, n, y, pool);
}

void mean_rows(const float* x, int64_t images, int64_t image_stride, int64_t rows,
               int64_t row_stride, int64_t n, float* y, Pool& pool) {
  constexpr int64_t kColumns = 256;  // of a task
  const RowFunctions functions = kernel_table().rows;
  const int64_t chunks = ceil_div(n, kColumns);
  pool.run(images * chunks, [&](int64_t task, int) {
    const int64_t image = task / chunks, begin = task % chunks * kColumns;
    const int64_t count = std::min(kColumns, n - begin);
    const float* from = x + image * image_stride + begin;
    float* to = y + image * n + begin;
    std::fill(to, to + count, 0.0F);
    for (int64_t r = 0; r < rows; ++r) functions.add(to, from + r * row_stride, count, to);
    functions.scale(to, 1 / static_cast<float>(rows), count, to);
  });
}

}  // namespace saccade::runtime::kernels
