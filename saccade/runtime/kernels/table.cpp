#include "saccade/runtime/kernels/table.h"

#include <hwy/detect_targets.h>

#include <atomic>

namespace saccade::runtime::kernels {
namespace {

std::atomic<bool> dot_products_allowed{true};

#if defined(__x86_64__)
/// Replaces tiles by those of the processor's dot products.
void add_dot_products(Tiles& tiles) {
  const auto take = [](TileFamily& family, const TileFamily* better) {
    if (better != nullptr) family = *better;
  };
  if (tiles.target == HWY_AVX3) {
    if (__builtin_cpu_supports("avx512bf16")) take(tiles.bf16, avx512bf16_tiles());
    if (__builtin_cpu_supports("avx512vnni")) take(tiles.i8, avx512vnni_tiles());
  } else if (tiles.target == HWY_AVX2) {
    if (__builtin_cpu_supports("avxvnni")) take(tiles.i8, avxvnni_tiles());
  }
}
#else
void add_dot_products(Tiles&) {}
#endif

}  // namespace

KernelTable kernel_table() {
  KernelTable table{highway_tiles(), highway_rows()};
  if (dot_products_allowed.load(std::memory_order_relaxed)) add_dot_products(table.tiles);
  return table;
}

void allow_dot_products(bool allowed) { dot_products_allowed.store(allowed); }

}  // namespace saccade::runtime::kernels
