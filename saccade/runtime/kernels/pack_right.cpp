// Panels of activations.
#include <algorithm>
#include <cstring>

#include "saccade/base/check.h"
#include "saccade/runtime/kernels/matmul.h"
#include "saccade/runtime/kernels/scratch.h"

namespace saccade::runtime::kernels {
namespace {

using ops::kPanelWidth;

constexpr int64_t kRowsPerTask = 16;

/// Rows of one thread: two that are made (normalised, or missing), or 16 of bf16.
struct Area {
  float* rows[2] = {};
  uint16_t* words = nullptr;
};

Area cut_area(ScratchCutter& cutter, const RightSource& source) {
  Area area;
  const int64_t length = source.transposed ? source.k : source.n;
  for (float*& row : area.rows) row = cutter.take<float>(length);
  if (source.transposed) area.words = cutter.take<uint16_t>(kPanelWidth * round_up(source.k, 2));
  return area;
}

const float* fetch(const RightSource& source, const RowFunctions& functions, int64_t image,
                   int64_t row, int64_t length, float* made) {
  const int64_t offset = source.rows.offset(row);
  const float* x = made;
  if (offset < 0)
    std::fill(made, made + length, 0.0F);
  else
    x = source.data + image * source.batch_stride + offset;
  if (source.norm == nullptr) return x;
  functions.layer_norm(x, length, source.norm->epsilon, source.norm->gamma, source.norm->beta,
                       nullptr, made);
  return made;
}

/// Steps of all panels from a few rows over k.
void pack_rows(const RightSource& source, DType type, const RowFunctions& functions, int64_t image,
               int64_t begin, int64_t end, std::byte* panels, const Area& area) {
  const int64_t panel = ops::panel_stride(type, source.k);
  for (int64_t row = begin; row < end; row += ops::panel_group(type)) {
    std::byte* out = panels + row / ops::panel_group(type) * ops::kPanelStepBytes;
    const float* x = fetch(source, functions, image, row, source.n, area.rows[0]);
    if (type == DType::F32) {
      functions.pack_row(RowFormat::f32, x, source.n, 0, 0, out, panel);
      continue;
    }
    const float* next = area.rows[1];
    if (row + 1 < source.k)
      next = fetch(source, functions, image, row + 1, source.n, area.rows[1]);
    else
      std::fill(area.rows[1], area.rows[1] + source.n, 0.0F);
    functions.interleave_bf16(x, next, source.n, out, panel);
  }
}

/// One panel from 16 rows over n.
void pack_transposed(const RightSource& source, DType type, const RowFunctions& functions,
                     int64_t image, int64_t begin, int64_t end, std::byte* panel,
                     const Area& area) {
  const int64_t steps = ops::panel_steps(type, source.k);
  auto* words = reinterpret_cast<uint32_t*>(panel);
  const bool regular = source.rows.index == nullptr && source.rows.rows_per_image == 0;
  if (type == DType::F32 && regular) {
    const float* x = source.data + image * source.batch_stride + source.rows.offset(begin);
    functions.transpose_panel(reinterpret_cast<const uint32_t*>(x), source.rows.row_stride,
                              end - begin, steps, words);
    return;
  }
  std::fill(words, words + steps * kPanelWidth, 0U);
  for (int64_t row = begin; row < end; ++row) {
    const float* x = fetch(source, functions, image, row, source.k, area.rows[0]);
    if (type == DType::F32) {
      for (int64_t i = 0; i < steps; ++i)
        std::memcpy(&words[i * kPanelWidth + row - begin], x + i, sizeof(float));
      continue;
    }
    uint16_t* half = area.words + (row - begin) * 2 * steps;
    half[2 * steps - 1] = 0;
    functions.to_bf16(x, source.k, half);
  }
  if (type == DType::BF16)
    functions.transpose_panel(reinterpret_cast<const uint32_t*>(area.words), steps, end - begin,
                              steps, words);
}

}  // namespace

int64_t pack_right_scratch(const RightSource& source, int threads) {
  ScratchCutter cutter;
  cut_area(cutter, source);
  return cutter.used() * threads;
}

void pack_right(const RightSource& source, DType type, std::span<std::byte> panels, Pool& pool,
                std::span<std::byte> scratch) {
  SACCADE_CHECK(type != DType::I8, "activations are not packed as int8 panels");
  SACCADE_CHECK(!source.transposed || source.norm == nullptr, "norm of transposed rows");
  SACCADE_CHECK(static_cast<int64_t>(scratch.size()) >= pack_right_scratch(source, pool.threads()),
                "scratch of {} bytes is too small", scratch.size());
  const RowFunctions functions = kernel_table().rows;
  const int64_t bytes = ops::panel_bytes(type, source.n, source.k);
  SACCADE_CHECK(static_cast<int64_t>(panels.size()) >= source.batch * bytes, "panels too small");
  const int64_t rows = source.transposed ? source.n : source.k;
  const int64_t tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  const int64_t per_thread = pack_right_scratch(source, 1);
  pool.run(source.batch * tasks, [&](int64_t task, int thread) {
    ScratchCutter cutter(scratch.subspan(thread * per_thread, per_thread));
    const Area area = cut_area(cutter, source);
    const int64_t image = task / tasks, begin = task % tasks * kRowsPerTask;
    const int64_t end = std::min(rows, begin + kRowsPerTask);
    std::byte* to = panels.data() + image * bytes;
    if (source.transposed)
      pack_transposed(source, type, functions, image, begin, end,
                      to + task % tasks * ops::panel_stride(type, source.k), area);
    else
      pack_rows(source, type, functions, image, begin, end, to, area);
  });
}

}  // namespace saccade::runtime::kernels
