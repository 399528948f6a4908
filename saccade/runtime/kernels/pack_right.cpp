// Panels of activations.
#include <algorithm>

#include "saccade/base/check.h"
#include "saccade/runtime/kernels/matmul.h"
#include "saccade/runtime/kernels/tiling.h"

namespace saccade::runtime::kernels {

void pack_right(const RightSource& source, DType type, std::span<std::byte> panels, Pool& pool) {
  constexpr int64_t kRowsPerTask = 16;
  SACCADE_CHECK(type != DType::I8, "activations are not packed as int8 panels");
  const int64_t n = source.n, k = source.k, bytes = ops::panel_bytes(type, n, k);
  SACCADE_CHECK(static_cast<int64_t>(panels.size()) >= source.batch * bytes, "panels too small");
  const RowFunctions functions = kernel_table().rows;
  const int64_t group = ops::panel_group(type), stride = ops::panel_stride(type, k);
  const int64_t tasks = ceil_div(k, kRowsPerTask);
  pool.run(source.batch * tasks, [&](int64_t task, int) {
    const int64_t image = task / tasks, begin = task % tasks * kRowsPerTask;
    for (int64_t row = begin; row < std::min(k, begin + kRowsPerTask); row += group) {
      const float* x = source.data + (image * k + row) * n;
      std::byte* step = panels.data() + image * bytes + row / group * ops::kPanelStepBytes;
      if (type == DType::F32)
        functions.pack_row(RowFormat::f32, x, n, 0, 0, step, stride);
      else
        functions.interleave_bf16(x, row + 1 < k ? x + n : nullptr, n, step, stride);
    }
  });
}

}  // namespace saccade::runtime::kernels
