// Rows as the tiles of AVX512-BF16 read them. Compiled with its own target flags: nothing but
// intrinsics and plain types in here.
#include "saccade/runtime/kernels/attention_rows.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

namespace saccade::runtime::kernels {
namespace {

constexpr int64_t kPiece = 32;  // elements

/// The first `count` of 16 elements, zeros behind them.
SACCADE_INLINE __m512 load(const float* x, int64_t count) {
  if (count >= 16) return _mm512_loadu_ps(x);
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1 << (count > 0 ? count : 0)) - 1), x);
}
SACCADE_INLINE __m512i round(__m512 low, __m512 high) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}
SACCADE_INLINE __m512 factor_of(const HeadPack& pack, int64_t row) {
  return _mm512_set1_ps(pack.factors != nullptr ? pack.factors[row] : 1.0F);
}
/// 32 elements from `begin`, zeros behind the last.
SACCADE_INLINE __m512i piece_of(const HeadPack& pack, int64_t row, int64_t begin, __m512 factor) {
  const float* x = pack.rows[row] + begin;
  const int64_t left = pack.length - begin;
  if (left >= kPiece)
    return round(_mm512_mul_ps(_mm512_loadu_ps(x), factor),
                 _mm512_mul_ps(_mm512_loadu_ps(x + 16), factor));
  return round(_mm512_mul_ps(load(x, left), factor),
               _mm512_mul_ps(left > 16 ? load(x + 16, left - 16) : _mm512_setzero_ps(), factor));
}

void pack_tile(const HeadPack& pack) {
  std::byte* out = pack.out;
  for (int64_t i = 0; i < pack.length; i += kPiece, out += pack.piece_stride)
    for (int64_t r = 0; r < pack.count; ++r)
      _mm512_storeu_si512(out + r * kPieceBytes, piece_of(pack, r, i, factor_of(pack, r)));
}

/// 16 x 16 words: first within blocks of 128 bits, then the blocks.
SACCADE_INLINE void transpose(__m512i (&x)[16]) {
  __m512i y[16];
  SACCADE_UNROLL(4) for (int i = 0; i < 16; i += 4) {
    const __m512i a = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    const __m512i b = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    const __m512i c = _mm512_unpacklo_epi32(x[i + 2], x[i + 3]);
    const __m512i d = _mm512_unpackhi_epi32(x[i + 2], x[i + 3]);
    y[i] = _mm512_unpacklo_epi64(a, c), y[i + 1] = _mm512_unpackhi_epi64(a, c);
    y[i + 2] = _mm512_unpacklo_epi64(b, d), y[i + 3] = _mm512_unpackhi_epi64(b, d);
  }
  SACCADE_UNROLL(4) for (int i = 0; i < 4; ++i) {
    const __m512i a = _mm512_shuffle_i32x4(y[i], y[i + 4], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(y[i], y[i + 4], 0xDD);
    const __m512i c = _mm512_shuffle_i32x4(y[i + 8], y[i + 12], 0x88);
    const __m512i d = _mm512_shuffle_i32x4(y[i + 8], y[i + 12], 0xDD);
    x[i] = _mm512_shuffle_i32x4(a, c, 0x88), x[i + 8] = _mm512_shuffle_i32x4(a, c, 0xDD);
    x[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88), x[i + 12] = _mm512_shuffle_i32x4(b, d, 0xDD);
  }
}

void pack_columns(const HeadPack& pack) {
  std::byte* out = pack.out;
  for (int64_t i = 0; i < pack.length; i += kPiece) {
    __m512i block[16];
    SACCADE_UNROLL(16)
    for (int r = 0; r < 16; ++r) block[r] = piece_of(pack, r, i, factor_of(pack, r));
    transpose(block);
    const int64_t left = (pack.length - i + 1) / 2, steps = left < 16 ? left : 16;
    for (int64_t s = 0; s < steps; ++s, out += kPieceBytes) _mm512_storeu_si512(out, block[s]);
  }
}

void pack_steps(const HeadPack& pack) {
  alignas(64) static const uint16_t kPairs[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                  21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                  11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i pairs = _mm512_load_si512(kPairs);
  for (int64_t r = 0; r < pack.count; r += 2) {
    std::byte* out = pack.out + r / 2 * kPieceBytes;
    const float* even = pack.rows[r];
    const float* odd = r + 1 < pack.count ? pack.rows[r + 1] : nullptr;
    for (int64_t i = 0; i < pack.length; i += 16, out += pack.piece_stride) {
      const int64_t left = pack.length - i;
      const __m512 next = odd != nullptr ? load(odd + i, left) : _mm512_setzero_ps();
      _mm512_storeu_si512(out, _mm512_permutexvar_epi16(pairs, round(load(even + i, left), next)));
    }
  }
}

}  // namespace

void avx512bf16_pack(const float* row, int64_t k, std::byte* out, int64_t stride) {
  for (; k >= kPiece; k -= kPiece, row += kPiece, out += stride)
    _mm512_storeu_si512(out, round(_mm512_loadu_ps(row), _mm512_loadu_ps(row + 16)));
  if (k > 0) _mm512_storeu_si512(out, round(load(row, k), load(row + 16, k - 16)));
}

void avx512bf16_pack_tile(const float* tile, int64_t tile_stride, int rows, std::byte* out) {
  for (int r = 0; r < rows; ++r, tile += tile_stride, out += kPieceBytes)
    _mm512_storeu_si512(out, round(_mm512_loadu_ps(tile), _mm512_loadu_ps(tile + 16)));
}

HeadPacking avx512bf16_packing() { return {&pack_tile, &pack_columns, &pack_steps}; }

}  // namespace saccade::runtime::kernels
#else
void saccade::runtime::kernels::avx512bf16_pack(const float*, int64_t, std::byte*, int64_t) {}
void saccade::runtime::kernels::avx512bf16_pack_tile(const float*, int64_t, int, std::byte*) {}
saccade::runtime::kernels::HeadPacking saccade::runtime::kernels::avx512bf16_packing() {
  return {};
}
#endif
