#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "saccade/runtime/kernels/rows.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "saccade/runtime/kernels/table.h"

HWY_BEFORE_NAMESPACE();
namespace saccade::runtime::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;
using DI = hn::RebindToSigned<DF>;
using VI = hn::Vec<DI>;

#include "saccade/runtime/kernels/lanes-inl.h"
#include "saccade/runtime/kernels/math-inl.h"

constexpr float kInfinity = std::numeric_limits<float>::infinity();

SACCADE_INLINE VF keep_first(VF v, int64_t count) {
  return count >= kLanes ? v : hn::IfThenElseZero(hn::FirstN(DF(), count), v);
}

// ---- packing ----

/// Rounds to bf16, to nearest even; the result is in [-32768, 32767], the bits as a signed number.
SACCADE_INLINE VI round_to_bf16(VF v) {
  const hn::RebindToUnsigned<DF> du;
  const auto bits = hn::BitCast(du, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFF)));
  const auto kept = hn::BitCast(DF(), rounded);
  const auto quiet_nan = hn::BitCast(DF(), hn::Or(bits, hn::Set(du, 0x00400000)));
  return hn::ShiftRight<16>(hn::BitCast(DI(), hn::IfThenElse(hn::IsNaN(v), quiet_nan, kept)));
}
SACCADE_INLINE void store_bf16(VF v, uint16_t* y) {
  const hn::Rebind<int16_t, DF> d16;
  hn::StoreU(hn::DemoteTo(d16, round_to_bf16(v)), d16, reinterpret_cast<int16_t*>(y));
}

struct PackFloat {
  using Element = float;
  static SACCADE_INLINE void store(VF v, float, VI, Element* y) { hn::StoreU(v, DF(), y); }
};
struct PackBf16 {
  using Element = uint16_t;
  static SACCADE_INLINE void store(VF v, float, VI, Element* y) { store_bf16(v, y); }
};
/// round(x * inverse_scale) + zero; storing as bytes clamps it to [0, 255].
SACCADE_INLINE VI quantise(VF v, float inverse_scale, VI zero) {
  return hn::Add(hn::NearestInt(hn::Mul(v, hn::Set(DF(), inverse_scale))), zero);
}
struct PackByte {
  using Element = uint8_t;
  static SACCADE_INLINE void store(VF v, float inverse_scale, VI zero, Element* y) {
    const hn::Rebind<uint8_t, DF> d8;
    hn::StoreU(hn::DemoteTo(d8, quantise(v, inverse_scale, zero)), d8, y);
  }
};
struct PackWide {
  using Element = int16_t;
  static SACCADE_INLINE void store(VF v, float inverse_scale, VI zero, Element* y) {
    const hn::Rebind<int16_t, DF> d16;
    const VI low = hn::Zero(DI()), high = hn::Set(DI(), 255);
    const VI byte = hn::Clamp(quantise(v, inverse_scale, zero), low, high);
    hn::StoreU(hn::DemoteTo(d16, byte), d16, y);
  }
};

template <class Pack>
void pack(const float* row, int64_t k, float inverse_scale, int32_t zero, std::byte* out,
          int64_t stride) {
  using Element = typename Pack::Element;
  constexpr int64_t kPiece = kPieceBytes / sizeof(Element);
  const VI zeros = hn::Set(DI(), zero);
  for (int64_t begin = 0; begin < k; begin += kPiece, out += stride) {
    auto* piece = reinterpret_cast<Element*>(out);
    const int64_t here = std::min(kPiece, k - begin);
    int64_t i = 0;
    for (; i + kLanes <= here; i += kLanes)
      Pack::store(hn::LoadU(DF(), row + begin + i), inverse_scale, zeros, piece + i);
    if (i < here) {  // kPiece is a multiple of kLanes: there is room for a whole vector
      Pack::store(load_some(row + begin + i, here - i), inverse_scale, zeros, piece + i);
      i += kLanes;
    }
    std::fill(piece + i, piece + kPiece, Element{});
  }
}

void pack_bf16(const float* row, int64_t k, std::byte* out, int64_t stride) {
  pack<PackBf16>(row, k, 0, 0, out, stride);
}

void pack_tile_bf16(const float* tile, int64_t tile_stride, int rows, std::byte* out) {
  for (int r = 0; r < rows; ++r, tile += tile_stride, out += kPieceBytes)
    pack_bf16(tile, 32, out, 0);
}

void pack_row(RowFormat format, const float* row, int64_t k, float inverse_scale, int32_t zero,
              std::byte* out, int64_t stride) {
  switch (format) {
    case RowFormat::f32: return pack<PackFloat>(row, k, inverse_scale, zero, out, stride);
    case RowFormat::bf16: return pack<PackBf16>(row, k, inverse_scale, zero, out, stride);
    case RowFormat::u8: return pack<PackByte>(row, k, inverse_scale, zero, out, stride);
    case RowFormat::i16: return pack<PackWide>(row, k, inverse_scale, zero, out, stride);
  }
}

void interleave_bf16(const float* even, const float* odd, int64_t n, std::byte* out,
                     int64_t stride) {
  const hn::RebindToUnsigned<DF> du;
  const auto high = hn::Set(du, 0xFFFF0000U);
  for (int64_t column = 0; column < n; column += 16, out += stride) {
    for (int64_t lane = 0; lane < 16; lane += kLanes) {
      const int64_t count = std::clamp<int64_t>(n - column - lane, 0, kLanes);
      const int64_t at = column + lane;
      const VF next = odd != nullptr ? load_up_to(odd + at, count) : hn::Zero(DF());
      const auto low = hn::BitCast(du, round_to_bf16(load_up_to(even + at, count)));
      const auto top = hn::BitCast(du, round_to_bf16(next));
      const auto pair = hn::Or(hn::AndNot(high, low), hn::ShiftLeft<16>(top));
      hn::StoreU(pair, du, reinterpret_cast<uint32_t*>(out) + lane);
    }
  }
}

// ---- rows ----

/// sums[r] = the sum of f(r, i, lanes) over a row, in every lane; behind its end f gives zeros.
/// Rows side by side do not wait for each other's additions.
template <int kRows, class F>
SACCADE_INLINE void sum_rows(int64_t n, VF (&sums)[kRows], const F& f) {
  SACCADE_UNROLL(4)
  for (VF& sum : sums) sum = hn::Zero(DF());
  each_vector(n, [&](int64_t i, int64_t lanes) HWY_ATTR {
    SACCADE_UNROLL(4)
    for (int r = 0; r < kRows; ++r) sums[r] = hn::Add(sums[r], f(r, i, lanes));
  });
  SACCADE_UNROLL(4)
  for (VF& sum : sums) sum = hn::SumOfLanes(DF(), sum);
}

template <int kRows>
void normalise(const float* x, int64_t n, const Norm& norm, const float* residual, float* y) {
  const DF d;
  const VF count = hn::Set(d, static_cast<float>(n)), epsilon = hn::Set(d, norm.epsilon);
  VF mean[kRows], factor[kRows];
  sum_rows(n, mean, [&](int r, int64_t i, int64_t lanes) HWY_ATTR {
    return load_up_to(x + r * n + i, lanes);
  });
  SACCADE_UNROLL(4)
  for (VF& m : mean) m = hn::Div(m, count);
  sum_rows(n, factor, [&](int r, int64_t i, int64_t lanes) HWY_ATTR {
    const VF centred = keep_first(hn::Sub(load_up_to(x + r * n + i, lanes), mean[r]), lanes);
    return hn::Mul(centred, centred);
  });
  SACCADE_UNROLL(4)
  for (VF& f : factor) f = hn::Div(hn::Set(d, 1.0F), hn::Sqrt(hn::Add(hn::Div(f, count), epsilon)));
  each_vector(n, [&](int64_t i, int64_t lanes) HWY_ATTR {
    const VF gamma = norm.gamma != nullptr ? load_up_to(norm.gamma + i, lanes) : hn::Set(d, 1.0F);
    const VF beta = norm.beta != nullptr ? load_up_to(norm.beta + i, lanes) : hn::Zero(d);
    SACCADE_UNROLL(4)
    for (int r = 0; r < kRows; ++r) {
      const int64_t at = r * n + i;
      const VF scaled = hn::Mul(hn::Sub(load_up_to(x + at, lanes), mean[r]), factor[r]);
      VF v = hn::Add(hn::Mul(scaled, gamma), beta);
      if (residual != nullptr) v = hn::Add(v, load_up_to(residual + at, lanes));
      store_up_to(v, lanes, y + at);
    }
  });
}

void layer_norm(const float* x, int64_t rows, int64_t n, const Norm& norm, const float* residual,
                float* y) {
  const auto each = [&](auto count) HWY_ATTR {
    constexpr int kRows = decltype(count)::value;
    for (; rows >= kRows; rows -= kRows, x += kRows * n, y += kRows * n) {
      normalise<kRows>(x, n, norm, residual, y);
      if (residual != nullptr) residual += kRows * n;
    }
  };
  each(std::integral_constant<int, 4>());
  each(std::integral_constant<int, 1>());
}

float largest_magnitude(const float* x, int64_t n) {
  VF most = hn::Zero(DF());
  for (int64_t i = 0; i < n; i += kLanes)
    most = hn::Max(most, hn::Abs(load_up_to(x + i, std::min(kLanes, n - i))));
  return hn::GetLane(hn::MaxOfLanes(DF(), most));
}

void softmax(const float* x, int64_t n, float* y) {
  const DF d;
  VF most = hn::Set(d, -kInfinity);
  const auto load = [&](int64_t i, int64_t lanes) HWY_ATTR {
    const VF v = load_up_to(x + i, lanes);
    return lanes >= kLanes ? v : hn::IfThenElse(hn::FirstN(d, lanes), v, hn::Set(d, -kInfinity));
  };
  for (int64_t i = 0; i < n; i += kLanes) most = hn::Max(most, load(i, n - i));
  most = hn::MaxOfLanes(d, most);
  map(n, y, [&](int64_t i, int64_t lanes) HWY_ATTR {
    return exponential(hn::Sub(load(i, lanes), most));
  });
  VF sum[1];
  sum_rows(n, sum,
           [&](int, int64_t i, int64_t lanes) HWY_ATTR { return load_up_to(y + i, lanes); });
  const VF factor = hn::Div(hn::Set(d, 1.0F), sum[0]);
  map(n, y,
      [&](int64_t i, int64_t lanes) HWY_ATTR { return hn::Mul(load_up_to(y + i, lanes), factor); });
}

void activate(Activation which, const float* x, int64_t n, float* y) {
  with_activation(which, [&](auto constant) HWY_ATTR {
    map(n, y, [&](int64_t i, int64_t lanes) HWY_ATTR {
      return activation<decltype(constant)::value>(load_up_to(x + i, lanes));
    });
  });
}

void add(const float* a, const float* b, int64_t n, float* y) {
  map(n, y, [&](int64_t i, int64_t lanes) HWY_ATTR {
    return hn::Add(load_up_to(a + i, lanes), load_up_to(b + i, lanes));
  });
}

void multiply(const float* a, const float* b, int64_t n, float* y) {
  map(n, y, [&](int64_t i, int64_t lanes) HWY_ATTR {
    return hn::Mul(load_up_to(a + i, lanes), load_up_to(b + i, lanes));
  });
}

void scale(const float* x, float factor, int64_t n, float* y) {
  const VF factors = hn::Set(DF(), factor);
  map(n, y, [&](int64_t i, int64_t lanes) HWY_ATTR {
    return hn::Mul(load_up_to(x + i, lanes), factors);
  });
}

// ---- finished tiles ----

/// Column parameters of a tile, filled to whole vectors.
struct Columns {
  alignas(64) float bias[kMaxTileColumns];
  alignas(64) float scale[kMaxTileColumns];
  alignas(64) int32_t shift[kMaxTileColumns];  // zero * column_sum

  explicit Columns(const FinishArgs& args) {
    if (args.bias != nullptr) std::copy_n(args.bias, args.columns, bias);
    if (args.row_scale == nullptr) return;
    std::copy_n(args.column_scale, args.columns, scale);
    for (int c = 0; c < args.columns; ++c) shift[c] = args.zero * args.column_sum[c];
  }
};

SACCADE_INLINE VF finished_sum(const FinishArgs& args, const Columns& columns, int row, int64_t c) {
  const DF d;
  const int64_t at = row * args.tile_stride + c;
  if (args.row_scale == nullptr) return hn::LoadU(d, static_cast<const float*>(args.tile) + at);
  const DI di;
  const VI sums = hn::LoadU(di, static_cast<const int32_t*>(args.tile) + at);
  const VF exact = hn::ConvertTo(d, hn::Sub(sums, hn::Load(di, columns.shift + c)));
  return hn::Mul(exact, hn::Mul(hn::Load(d, columns.scale + c), hn::Set(d, args.row_scale[row])));
}

/// f(row, column, lanes) for all of a tile, and where its result goes.
template <class F>
SACCADE_INLINE void store_tile(const FinishArgs& args, const F& f) {
  for (int r = 0; r < args.rows; ++r) {
    float* out = args.out + r * args.out_row;
    each_vector(args.columns, [&](int64_t c, int64_t lanes) HWY_ATTR {
      store_up_to(f(r, c, lanes), lanes, out + c / 16 * args.out_panel + c % 16);
    });
  }
}

template <Activation kActivation>
SACCADE_INLINE void finish_rows(const FinishArgs& args) {
  if (args.row_scale == nullptr && args.bias == nullptr && args.residual == nullptr) {
    const auto* tile = static_cast<const float*>(args.tile);
    return store_tile(args, [&](int r, int64_t c, int64_t) HWY_ATTR {
      return activation<kActivation>(hn::LoadU(DF(), tile + r * args.tile_stride + c));
    });
  }
  const Columns columns(args);
  store_tile(args, [&](int r, int64_t c, int64_t lanes) HWY_ATTR {
    VF v = finished_sum(args, columns, r, c);
    if (args.bias != nullptr) v = hn::Add(v, hn::Load(DF(), columns.bias + c));
    v = activation<kActivation>(v);
    if (args.residual == nullptr) return v;
    return hn::Add(v, load_up_to(args.residual + r * args.residual_row + c, lanes));
  });
}

void finish(const FinishArgs& args) {
  with_activation(args.activation,
                  [&](auto constant) HWY_ATTR { finish_rows<decltype(constant)::value>(args); });
}

RowFunctions GetRows() {
  return {&pack_bf16,         &pack_tile_bf16, &pack_row, &interleave_bf16, &layer_norm,
          &largest_magnitude, &finish,         &softmax,  &activate,        &add,
          &multiply,          &scale};
}

}  // namespace
}  // namespace saccade::runtime::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace saccade::runtime::kernels {
namespace {
HWY_EXPORT(GetRows);
}

RowFunctions highway_rows() { return HWY_DYNAMIC_DISPATCH(GetRows)(); }

}  // namespace saccade::runtime::kernels
#endif
