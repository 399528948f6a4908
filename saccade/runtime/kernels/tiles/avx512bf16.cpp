// bf16 dot products of AVX512-BF16. Compiled with its own target flags: nothing but intrinsics and
// plain types in here, so that no shared inline function is built for that instruction set.
#include "saccade/runtime/kernels/table.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

#include <type_traits>
#include <utility>

namespace saccade::runtime::kernels {
namespace {

#include "saccade/runtime/kernels/tiles/tile-inl.h"

constexpr int kRows = 14;

struct Bf16 {
  using Element = float;
  using Acc = __m512;
  using B = __m512i;
  static constexpr int kStepBytes = 4, kParts = 1, kVectorBytes = 64, kLanes = 16, kMacs = 32;
  static SACCADE_INLINE Acc zero() { return _mm512_setzero_ps(); }
  static SACCADE_INLINE Acc load(const float* p) { return _mm512_loadu_ps(p); }
  static SACCADE_INLINE void store(Acc v, float* p) { _mm512_storeu_ps(p, v); }
  static SACCADE_INLINE Acc add(Acc a, Acc b) { return _mm512_add_ps(a, b); }
  static SACCADE_INLINE B load_b(const std::byte* p, int) { return _mm512_load_si512(p); }
  static SACCADE_INLINE B broadcast_a(const std::byte* p, int) {
    return _mm512_set1_epi32(*reinterpret_cast<const int32_t*>(p));
  }
  static SACCADE_INLINE Acc multiply_add(B a, B b, Acc acc) {
    return _mm512_dpbf16_ps(acc, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  template <class V>
  static SACCADE_INLINE void keep(V& v) {
    asm volatile("" : "+v"(v));
  }
};

constexpr TileList<Bf16, 2, kRows> kWide;
constexpr TileList<Bf16, 1, kRows> kNarrow;
constexpr TileFamily kFamily{"AVX512-BF16",   RowFormat::bf16,  kRows, 32, &burn<Bf16>,
                             kWide.functions, kNarrow.functions};

}  // namespace

const TileFamily* avx512bf16_tiles() { return &kFamily; }

}  // namespace saccade::runtime::kernels
#else
const saccade::runtime::kernels::TileFamily* saccade::runtime::kernels::avx512bf16_tiles() {
  return nullptr;
}
#endif
