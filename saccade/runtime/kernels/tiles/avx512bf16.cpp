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

void avx512bf16_pack(const float* row, int64_t k, std::byte* out, int64_t stride) {
  const auto half = [](int64_t count, const float* x) {
    const auto mask =
        static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1 << (count > 0 ? count : 0)) - 1);
    return _mm512_maskz_loadu_ps(mask, x);
  };
  for (; k >= 32; k -= 32, row += 32, out += stride)
    _mm512_storeu_si512(out, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(
                                 _mm512_loadu_ps(row + 16), _mm512_loadu_ps(row))));
  if (k > 0)
    _mm512_storeu_si512(
        out, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(half(k - 16, row + 16), half(k, row))));
}

void avx512bf16_pack_tile(const float* tile, int64_t tile_stride, int rows, std::byte* out) {
  for (int r = 0; r < rows; ++r, tile += tile_stride, out += kPieceBytes)
    avx512bf16_pack(tile, 32, out, 0);
}

}  // namespace saccade::runtime::kernels
#else
void saccade::runtime::kernels::avx512bf16_pack(const float*, int64_t, std::byte*, int64_t) {}
void saccade::runtime::kernels::avx512bf16_pack_tile(const float*, int64_t, int, std::byte*) {}
const saccade::runtime::kernels::TileFamily* saccade::runtime::kernels::avx512bf16_tiles() {
  return nullptr;
}
#endif
