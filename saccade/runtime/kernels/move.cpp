#include "saccade/runtime/kernels/move.h"

#include <algorithm>
#include <cstring>

#include "saccade/runtime/kernels/tiling.h"

namespace saccade::runtime::kernels {
namespace {

using ops::Extents;

/// Without dimensions of 1, and with neighbours that lie the same way on both sides as one.
Box joined(const Box& box) {
  Box out;
  for (int axis = 0; axis < box.shape.rank; ++axis) {
    const int64_t size = box.shape[axis], from = box.from[axis], to = box.to[axis];
    const int last = out.shape.rank - 1;
    if (size == 1) continue;
    if (last >= 0 && out.from[last] == size * from && out.to[last] == size * to) {
      out.shape[last] *= size, out.from[last] = from, out.to[last] = to;
      continue;
    }
    const int next = out.shape.rank++;
    out.shape[next] = size, out.from[next] = from, out.to[next] = to;
  }
  return out;
}

/// A plane of rows x columns with any strides; pieces of 16 x 16 so that both sides are met in
/// whole lines of cache.
struct Plane {
  int64_t rows, columns;
  int64_t from_row, from_column, to_row, to_column;
};

void move_plane(const Plane& p, const float* x, float* y) {
  constexpr int64_t kSide = 16;
  if (p.from_column == 1 && p.to_column == 1) {
    for (int64_t r = 0; r < p.rows; ++r)
      std::memcpy(y + r * p.to_row, x + r * p.from_row, p.columns * sizeof(float));
    return;
  }
  for (int64_t top = 0; top < p.rows; top += kSide)
    for (int64_t left = 0; left < p.columns; left += kSide)
      for (int64_t r = top; r < std::min(p.rows, top + kSide); ++r)
        for (int64_t c = left; c < std::min(p.columns, left + kSide); ++c)
          y[r * p.to_row + c * p.to_column] = x[r * p.from_row + c * p.from_column];
}

}  // namespace

void move_box(const Box& given, const float* x, float* y, Pool& pool) {
  const Box box = joined(given);
  const int rank = box.shape.rank;
  const auto size = [&](int axis) { return axis >= 0 ? box.shape[axis] : 1; };
  const auto stride = [](const Extents& strides, int axis) {
    return axis >= 0 ? strides[axis] : 0;
  };
  const int columns = rank - 1, rows = rank - 2;
  // The plane's rows are cut into tasks; the dimensions before it are counted through.
  const int64_t block = std::clamp<int64_t>(kTaskElements / size(columns), 1, size(rows));
  const int64_t blocks = ceil_div(size(rows), block);
  const int64_t planes = box.shape.product(0, std::max(rows, 0));
  pool.run(planes * blocks, [&](int64_t task, int) {
    int64_t plane = task / blocks, from = 0, to = 0;
    for (int axis = rows; axis-- > 0; plane /= box.shape[axis]) {
      from += plane % box.shape[axis] * box.from[axis];
      to += plane % box.shape[axis] * box.to[axis];
    }
    const int64_t begin = task % blocks * block;
    const Plane part{
        std::min(size(rows) - begin, block), size(columns),        stride(box.from, rows),
        stride(box.from, columns),           stride(box.to, rows), stride(box.to, columns)};
    move_plane(part, x + from + begin * part.from_row, y + to + begin * part.to_row);
  });
}

void copy_patches(const Patches& patches, const float* x, int64_t rows, float* y, Pool& pool) {
  const int64_t n = patches.channels * patches.kernel_h * patches.kernel_w;
  for_rows(rows, n, pool, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) fetch_patch(patches, x, r, y + r * n);
  });
}

void gather_rows(const float* x, int64_t images, int64_t size, int64_t n,
                 std::span<const int64_t> index, float* y, Pool& pool) {
  const auto count = static_cast<int64_t>(index.size());
  for_rows(images * count, n, pool, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t from = index[static_cast<size_t>(r % count)];
      if (from < 0 || from >= size)
        std::fill_n(y + r * n, n, 0.0F);
      else
        std::memcpy(y + r * n, x + (r / count * size + from) * n, n * sizeof(float));
    }
  });
}

}  // namespace saccade::runtime::kernels
