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

void to_bf16(const float* x, int64_t n, uint16_t* y) {
  const hn::Rebind<int16_t, DF> d16;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store_bf16(hn::LoadU(DF(), x + i), y + i);
  if (i == n) return;
  alignas(64) int16_t lanes[kLanes];
  hn::Store(hn::DemoteTo(d16, round_to_bf16(load_some(x + i, n - i))), d16, lanes);
  std::memcpy(y + i, lanes, (n - i) * sizeof(uint16_t));
}

void interleave_bf16(const float* even, const float* odd, int64_t n, std::byte* out,
                     int64_t stride) {
  const hn::RebindToUnsigned<DF> du;
  const auto high = hn::Set(du, 0xFFFF0000U);
  for (int64_t column = 0; column < n; column += 16, out += stride) {
    for (int64_t lane = 0; lane < 16; lane += kLanes) {
      const int64_t count = std::clamp<int64_t>(n - column - lane, 0, kLanes);
      const auto low = hn::BitCast(du, round_to_bf16(load_up_to(even + column + lane, count)));
      const auto top = hn::BitCast(du, round_to_bf16(load_up_to(odd + column + lane, count)));
      const auto pair = hn::Or(hn::AndNot(high, low), hn::ShiftLeft<16>(top));
      hn::StoreU(pair, du, reinterpret_cast<uint32_t*>(out) + lane);
    }
  }
}

/// Four rows of four words each become four columns; blocks of 128 bits on every target.
void transpose_panel(const uint32_t* x, int64_t stride, int64_t rows, int64_t k, uint32_t* panel) {
  const hn::CappedTag<uint32_t, 4> d;
  const hn::Repartition<uint64_t, decltype(d)> d64;
  constexpr int64_t kColumns = 16;
  if (rows < kColumns) std::fill(panel, panel + k * kColumns, 0U);
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const uint32_t *x0 = x + r * stride, *x1 = x0 + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    int64_t i = 0;
    for (; i + 4 <= k; i += 4) {
      const auto v0 = hn::LoadU(d, x0 + i), v1 = hn::LoadU(d, x1 + i);
      const auto v2 = hn::LoadU(d, x2 + i), v3 = hn::LoadU(d, x3 + i);
      const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, v0, v1));
      const auto low23 = hn::BitCast(d64, hn::InterleaveLower(d, v2, v3));
      const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, v0, v1));
      const auto high23 = hn::BitCast(d64, hn::InterleaveUpper(d, v2, v3));
      uint32_t* to = panel + i * kColumns + r;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, low01, low23)), d, to);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, low01, low23)), d, to + kColumns);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, high01, high23)), d, to + 2 * kColumns);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, high01, high23)), d, to + 3 * kColumns);
    }
    for (; i < k; ++i) {
      uint32_t* to = panel + i * kColumns + r;
      to[0] = x0[i], to[1] = x1[i], to[2] = x2[i], to[3] = x3[i];
    }
  }
  for (; r < rows; ++r)
    for (int64_t i = 0; i < k; ++i) panel[i * kColumns + r] = x[r * stride + i];
}

// ---- rows ----

void layer_norm(const float* x, int64_t n, float epsilon, const float* gamma, const float* beta,
                const float* residual, float* y) {
  const DF d;
  const auto count = static_cast<float>(n);
  const auto load = [&](int64_t i, int64_t lanes) HWY_ATTR { return load_up_to(x + i, lanes); };
  const VF mean = hn::Set(d, reduce_sum(n, load) / count);
  const auto square = [&](int64_t i, int64_t lanes) HWY_ATTR {
    const VF centred = keep_first(hn::Sub(load(i, lanes), mean), lanes);
    return hn::Mul(centred, centred);
  };
  const float variance = reduce_sum(n, square) / count;
  const VF factor = hn::Set(d, 1 / std::sqrt(variance + epsilon));
  map(n, y, [&](int64_t i, int64_t lanes) HWY_ATTR {
    VF v = hn::Mul(hn::Sub(load(i, lanes), mean), factor);
    if (gamma != nullptr) v = hn::Mul(v, load_up_to(gamma + i, lanes));
    if (beta != nullptr) v = hn::Add(v, load_up_to(beta + i, lanes));
    if (residual != nullptr) v = hn::Add(v, load_up_to(residual + i, lanes));
    return v;
  });
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
  const float sum =
      reduce_sum(n, [&](int64_t i, int64_t lanes) HWY_ATTR { return load_up_to(y + i, lanes); });
  const VF factor = hn::Set(d, 1 / sum);
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
  alignas(64) float layer_scale[kMaxTileColumns];
  alignas(64) float column_scale[kMaxTileColumns];
  alignas(64) int32_t shift[kMaxTileColumns];  // zero * column_sum

  explicit Columns(const FinishArgs& args) {
    const auto fill = [&](auto* to, const auto* from) {
      if (from != nullptr) std::memcpy(to, from, args.columns * sizeof(*to));
    };
    fill(bias, args.bias);
    fill(layer_scale, args.layer_scale);
    fill(column_scale, args.column_scale);
    if (args.column_sum != nullptr)
      for (int c = 0; c < args.columns; ++c) shift[c] = args.zero * args.column_sum[c];
  }
};

SACCADE_INLINE VF finished_sum(const FinishArgs& args, const Columns& columns, int row, int c) {
  const DF d;
  const int64_t at = row * args.tile_stride + c;
  if (args.row_scale == nullptr) return hn::LoadU(d, static_cast<const float*>(args.tile) + at);
  const DI di;
  const VI sums = hn::LoadU(di, static_cast<const int32_t*>(args.tile) + at);
  const VF exact = hn::ConvertTo(d, hn::Sub(sums, hn::Load(di, columns.shift + c)));
  const VF factor = hn::Mul(hn::Load(d, columns.column_scale + c), hn::Set(d, args.row_scale[row]));
  return hn::Mul(exact, factor);
}

/// Whether nothing but the activation is to be done.
bool only_activates(const FinishArgs& args) {
  return args.row_scale == nullptr && args.bias == nullptr && args.row_bias == nullptr &&
         args.layer_scale == nullptr && args.scale == 1.0F && args.residual == nullptr;
}

template <Activation kActivation>
SACCADE_INLINE void activate_rows(const FinishArgs& args) {
  const auto* tile = static_cast<const float*>(args.tile);
  for (int r = 0; r < args.rows; ++r, tile += args.tile_stride) {
    if (args.out[r] == nullptr) continue;
    map(args.columns, args.out[r], [&](int64_t c, int64_t) HWY_ATTR {
      return activation<kActivation>(hn::LoadU(DF(), tile + c));
    });
  }
}

template <Activation kActivation>
SACCADE_INLINE void finish_rows(const FinishArgs& args) {
  if (only_activates(args)) return activate_rows<kActivation>(args);
  const DF d;
  const Columns columns(args);
  const VF factor = hn::Set(d, args.scale);
  for (int r = 0; r < args.rows; ++r) {
    float* out = args.out[r];
    if (out == nullptr) continue;
    const float* residual = args.residual != nullptr ? args.residual[r] : nullptr;
    map(args.columns, out, [&](int64_t c, int64_t lanes) HWY_ATTR {
      VF v = finished_sum(args, columns, r, static_cast<int>(c));
      if (args.bias != nullptr) v = hn::Add(v, hn::Load(d, columns.bias + c));
      if (args.row_bias != nullptr) v = hn::Add(v, hn::Set(d, args.row_bias[r]));
      v = activation<kActivation>(v);
      if (args.layer_scale != nullptr) v = hn::Mul(v, hn::Load(d, columns.layer_scale + c));
      if (residual == nullptr) return hn::Mul(v, factor);
      return hn::MulAdd(v, factor, load_up_to(residual + c, lanes));
    });
  }
}

void finish(const FinishArgs& args) {
  with_activation(args.activation,
                  [&](auto constant) HWY_ATTR { finish_rows<decltype(constant)::value>(args); });
}

RowFunctions GetRows() {
  return {&pack_bf16,  &pack_tile_bf16,    &pack_row, &interleave_bf16, &to_bf16,
          &layer_norm, &largest_magnitude, &finish,   &softmax,         &activate,
          &add,        &multiply,          &scale,    &transpose_panel};
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
