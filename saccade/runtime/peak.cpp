#include "saccade/runtime/peak.h"

#include <time.h>

#include <algorithm>
#include <atomic>

#include <hwy/targets.h>

#include "saccade/base/error.h"
#include "saccade/runtime/kernels/pool.h"
#include "saccade/runtime/kernels/table.h"

namespace saccade::runtime {
namespace {

/// Of this thread, in seconds: what other programs take from it does not count.
double processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double measure(const kernels::TileFamily& family, Pool& pool) {
  constexpr int kTries = 10;
  constexpr int64_t kRounds = 500'000;
  double most = 0.0;
  for (int i = 0; i < kTries; ++i) {
    std::atomic<double> rate{0.0};
    pool.run(pool.threads(), [&](int64_t, int) {
      const double start = processor_time();
      const double done = family.burn(kRounds);
      const double own = done / (processor_time() - start);
      for (double sum = rate; !rate.compare_exchange_weak(sum, sum + own);) {
      }
    });
    most = std::max(most, 2e-9 * rate);
  }
  return most;
}

}  // namespace

Peak measure_peak(int threads) {
  const auto tiles = kernels::kernel_table().tiles;
  Pool pool(threads);
  return {measure(tiles.f32, pool), measure(tiles.bf16, pool), measure(tiles.i8, pool)};
}

void restrict_instructions(std::string_view name) {
  const int64_t target = name == "avx2" ? HWY_AVX2 : name == "sse4" ? HWY_SSE4 : HWY_SSSE3;
  if (target == HWY_SSSE3 && name != "ssse3")
    throw usage_error("there are no instructions \"{}\"; there are avx2, sse4, ssse3", name);
  if ((hwy::SupportedTargets() & target) == 0)
    throw resource_error("this processor has no {}", name);
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

Arithmetic arithmetic() {
  const auto tiles = kernels::kernel_table().tiles;
  return {tiles.f32.name, tiles.bf16.name, tiles.i8.name,
          tiles.bf16.format == kernels::RowFormat::bf16};
}

}  // namespace saccade::runtime
