// int8 dot products of AVX512-VNNI. Compiled with its own target flags: nothing but intrinsics and
// plain types in here, so that no shared inline function is built for that instruction set.
#include "saccade/runtime/kernels/table.h"

#if defined(__AVX512VNNI__)
#include <immintrin.h>

#include <type_traits>
#include <utility>

namespace saccade::runtime::kernels {
namespace {

#include "saccade/runtime/kernels/tiles/tile-inl.h"

constexpr int kRows = 14;

struct Int8 {
  using Element = int32_t;
  using Acc = __m512i;
  using B = __m512i;
  static constexpr int kStepBytes = 4, kParts = 1, kVectorBytes = 64, kLanes = 16, kMacs = 64;
  static SACCADE_INLINE Acc zero() { return _mm512_setzero_si512(); }
  static SACCADE_INLINE Acc load(const int32_t* p) { return _mm512_loadu_si512(p); }
  static SACCADE_INLINE void store(Acc v, int32_t* p) { _mm512_storeu_si512(p, v); }
  static SACCADE_INLINE B load_b(const std::byte* p, int) { return _mm512_load_si512(p); }
  static SACCADE_INLINE B broadcast_a(const std::byte* p, int) {
    return _mm512_set1_epi32(*reinterpret_cast<const int32_t*>(p));
  }
  static SACCADE_INLINE Acc multiply_add(B a, B b, Acc acc) {
    return _mm512_dpbusd_epi32(acc, a, b);
  }
  template <class V>
  static SACCADE_INLINE void keep(V& v) {
    asm volatile("" : "+v"(v));
  }
};

constexpr TileList<Int8, 2, kRows> kWide;
constexpr TileList<Int8, 1, kRows> kNarrow;
constexpr TileFamily kFamily{"AVX512-VNNI",   RowFormat::u8,    kRows, 32, &burn<Int8>,
                             kWide.functions, kNarrow.functions};

}  // namespace

const TileFamily* avx512vnni_tiles() { return &kFamily; }

}  // namespace saccade::runtime::kernels
#else
const saccade::runtime::kernels::TileFamily* saccade::runtime::kernels::avx512vnni_tiles() {
  return nullptr;
}
#endif
