#include "saccade/runtime/kernels/table.h"

#include <hwy/detect_targets.h>

#include <atomic>

namespace saccade::runtime::kernels {
namespace {

std::atomic<bool> dot_products_allowed{true};

#if defined(__x86_64__)
/// Replaces tiles, and how rows become bf16, by what the processor has.
void add_dot_products(KernelTable& table) {
  Tiles& tiles = table.tiles;
  const auto take = [](TileFamily& family, const TileFamily* better) {
    if (better != nullptr) family = *better;
  };
  if (tiles.target == HWY_AVX3) {
    if (__builtin_cpu_supports("avx512bf16") && avx512bf16_tiles() != nullptr) {
      tiles.bf16 = *avx512bf16_tiles();
      table.rows.pack_bf16 = &avx512bf16_pack;
    }
    if (__builtin_cpu_supports("avx512vnni")) take(tiles.i8, avx512vnni_tiles());
  } else if (tiles.target == HWY_AVX2) {
    if (__builtin_cpu_supports("avxvnni")) take(tiles.i8, avxvnni_tiles());
  }
}
#else
void add_dot_products(KernelTable&) {}
#endif

}  // namespace

KernelTable kernel_table() {
  KernelTable table{highway_tiles(), highway_rows()};
  if (dot_products_allowed.load(std::memory_order_relaxed)) add_dot_products(table);
  return table;
}

void allow_dot_products(bool allowed) { dot_products_allowed.store(allowed); }

}  // namespace saccade::runtime::kernels
