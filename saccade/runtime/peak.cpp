#include "saccade/runtime/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "saccade/runtime/kernels/pool.h"
#include "saccade/runtime/kernels/table.h"

namespace saccade::runtime {

Peak measure_peak(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr int kTries = 10;
  constexpr int64_t kRounds = 500'000;
  const auto family = kernels::kernel_table().tiles.f32;
  Pool pool(threads);
  Peak peak;
  peak.instructions = family.name;
  for (int i = 0; i < kTries; ++i) {
    std::atomic<double> multiply_adds{0.0};
    const auto start = Clock::now();
    pool.run(threads, [&](int64_t, int) {
      const double done = family.burn(kRounds);
      for (double sum = multiply_adds; !multiply_adds.compare_exchange_weak(sum, sum + done);) {
      }
    });
    const std::chrono::duration<double> seconds = Clock::now() - start;
    peak.gflops = std::max(peak.gflops, 2e-9 * multiply_adds / seconds.count());
  }
  return peak;
}

Arithmetic arithmetic() {
  const auto tiles = kernels::kernel_table().tiles;
  return {tiles.f32.name, tiles.bf16.name, tiles.i8.name,
          tiles.bf16.format == kernels::RowFormat::bf16};
}

}  // namespace saccade::runtime
