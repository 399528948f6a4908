// int8 dot products of AVX-VNNI (256 bits, without AVX-512). Compiled with its own target flags:
// nothing but intrinsics and plain types in here, so that no shared inline function is built for
// that instruction set.
#include "saccade/runtime/kernels/table.h"

#if defined(__AVXVNNI__)
#include <immintrin.h>

#include <type_traits>
#include <utility>

namespace saccade::runtime::kernels {
namespace {

#include "saccade/runtime/kernels/tiles/tile-inl.h"

constexpr int kRows = 6;

struct Int8 {
  using Element = int32_t;
  using Acc = __m256i;
  using B = __m256i;
  static constexpr int kStepBytes = 4, kParts = 1, kVectorBytes = 32, kLanes = 8, kMacs = 32;
  static SACCADE_INLINE Acc zero() { return _mm256_setzero_si256(); }
  static SACCADE_INLINE Acc load(const int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static SACCADE_INLINE void store(Acc v, int32_t* p) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  static SACCADE_INLINE B load_b(const std::byte* p, int) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  }
  static SACCADE_INLINE B broadcast_a(const std::byte* p, int) {
    return _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(p));
  }
  static SACCADE_INLINE Acc multiply_add(B a, B b, Acc acc) {
    return _mm256_dpbusd_avx_epi32(acc, a, b);
  }
  template <class V>
  static SACCADE_INLINE void keep(V& v) {
    asm volatile("" : "+x"(v));
  }
};

constexpr TileList<Int8, 2, kRows> kWide;
constexpr TileFamily kFamily{"AVX-VNNI",  RowFormat::u8,   kRows,  16,
                             &burn<Int8>, kWide.functions, nullptr};

}  // namespace

const TileFamily* avxvnni_tiles() { return &kFamily; }

}  // namespace saccade::runtime::kernels
#else
const saccade::runtime::kernels::TileFamily* saccade::runtime::kernels::avxvnni_tiles() {
  return nullptr;
}
#endif
