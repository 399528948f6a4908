#include "saccade/runtime/kernels/table.h"

#include <hwy/detect_targets.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <atomic>

namespace saccade::runtime::kernels {
namespace {

std::atomic<bool> dot_products_allowed{true};

#if defined(__x86_64__)
/// The dot products of the processor (leaf 7 of CPUID). That the system saves their registers is
/// known once Highway has chosen the target below.
struct DotProducts {
  bool avx512vnni = false, avx512bf16 = false, avxvnni = false;

  DotProducts() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return;
    avx512vnni = (c >> 11 & 1) != 0;
    const unsigned leaves = a;
    if (leaves < 1 || __get_cpuid_count(7, 1, &a, &b, &c, &d) == 0) return;
    avxvnni = (a >> 4 & 1) != 0;
    avx512bf16 = (a >> 5 & 1) != 0;
  }
};

/// Replaces tiles, and how rows become bf16, by what the processor has.
void add_dot_products(KernelTable& table) {
  Tiles& tiles = table.tiles;
  static const DotProducts processor;
  const auto take = [](TileFamily& family, const TileFamily* better) {
    if (better != nullptr) family = *better;
  };
  if (tiles.target == HWY_AVX3) {
    if (processor.avx512bf16 && avx512bf16_tiles() != nullptr) {
      tiles.bf16 = *avx512bf16_tiles();
      table.rows.pack_bf16 = &avx512bf16_pack;
      table.rows.pack_tile_bf16 = &avx512bf16_pack_tile;
    }
    if (processor.avx512vnni) take(tiles.i8, avx512vnni_tiles());
  } else if (tiles.target == HWY_AVX2) {
    if (processor.avxvnni) take(tiles.i8, avxvnni_tiles());
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
