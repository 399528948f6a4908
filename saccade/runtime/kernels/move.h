#pragma once
// Operators that only move numbers: permutations, slices, concatenations, expansions, convolution
// patches. fp32. Tasks are of fixed size, nothing is computed, so the bits are the same anyway.

#include <cstdint>
#include <span>

#include "saccade/ops/type.h"
#include "saccade/runtime/kernels/patches.h"
#include "saccade/runtime/kernels/pool.h"

namespace saccade::runtime::kernels {

/// A box of numbers from one place to another: element (i, j, ...) from x + i * from[0] + ... to
/// y + i * to[0] + ...; a stride of 0 in `from` repeats what stands there. x and y do not overlap.
struct Box {
  ops::Extents shape, from, to;
};
void move_box(const Box& box, const float* x, float* y, Pool& pool);

/// y[image][i] = x[image][index[i]] for rows of n numbers, `size` of them in an image of x; zeros
/// for a number that is none of a row.
void gather_rows(const float* x, int64_t images, int64_t size, int64_t n,
                 std::span<const int64_t> index, float* y, Pool& pool);

/// y[r] = the patch of row r; rows of channels * kernel_h * kernel_w.
void copy_patches(const Patches& patches, const float* x, int64_t rows, float* y, Pool& pool);

}  // namespace saccade::runtime::kernels
