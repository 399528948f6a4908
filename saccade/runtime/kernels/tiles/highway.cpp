#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "saccade/runtime/kernels/tiles/highway.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <type_traits>
#include <utility>

#include "saccade/runtime/kernels/table.h"

HWY_BEFORE_NAMESPACE();
namespace saccade::runtime::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#include "saccade/runtime/kernels/tiles/tile-inl.h"

constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 14 : 6;  // two accumulators each, 32 or 16 registers

using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;
constexpr int kFloats = hn::MaxLanes(DF());

/// What the two fp32 kernels share.
struct FloatAccumulator {
  using Element = float;
  using Acc = VF;
  using B = VF;
  static constexpr int kVectorBytes = 4 * kFloats, kLanes = kFloats, kMacs = kFloats;
  static SACCADE_INLINE VF zero() { return hn::Zero(DF()); }
  static SACCADE_INLINE VF load(const float* p) { return hn::LoadU(DF(), p); }
  static SACCADE_INLINE void store(VF v, float* p) { hn::StoreU(v, DF(), p); }
  static SACCADE_INLINE VF multiply_add(VF a, VF b, VF acc) { return hn::MulAdd(a, b, acc); }
  static SACCADE_INLINE VF add(VF a, VF b) { return hn::Add(a, b); }
  template <class V>
  static SACCADE_INLINE void keep(V& v) {
    asm volatile("" : "+x"(v.raw));
  }
};

struct Float : FloatAccumulator {
  static constexpr int kStepBytes = 4, kParts = 1;
  static SACCADE_INLINE VF load_b(const std::byte* p, int) {
    return hn::Load(DF(), reinterpret_cast<const float*>(p));
  }
  static SACCADE_INLINE VF broadcast_a(const std::byte* p, int) {
    return hn::Set(DF(), *reinterpret_cast<const float*>(p));
  }
};

/// bf16 panels, fp32 rows and arithmetic: the halves of each pair are widened in registers.
struct WidenedBf16 : FloatAccumulator {
  static constexpr int kStepBytes = 8, kParts = 2;
  static SACCADE_INLINE VF load_b(const std::byte* p, int part) {
    const hn::RebindToUnsigned<DF> du;
    const auto pair = hn::Load(du, reinterpret_cast<const uint32_t*>(p));
    return hn::BitCast(
        DF(), part == 0 ? hn::ShiftLeft<16>(pair) : hn::And(pair, hn::Set(du, 0xFFFF0000U)));
  }
  static SACCADE_INLINE VF broadcast_a(const std::byte* p, int part) {
    return hn::Set(DF(), reinterpret_cast<const float*>(p)[part]);
  }
};

/// int8 panels and widened bytes by 16-bit multiplications whose pairs are added in 32 bits: exact.
/// An accumulator holds two partial sums per column.
struct WidenedInt8 {
  using D16 = hn::ScalableTag<int16_t>;
  using D32 = hn::RepartitionToWide<D16>;
  using D64 = hn::RepartitionToWide<hn::RebindToUnsigned<D32>>;
  using DHalf = hn::Rebind<uint32_t, D64>;
  using Element = int32_t;
  using Acc = hn::Vec<D32>;
  using B = hn::Vec<D16>;
  static constexpr int kStepBytes = 8, kParts = 1;
  static constexpr int kVectorBytes = hn::MaxLanes(D16()), kLanes = hn::MaxLanes(D64());
  static constexpr int kMacs = hn::MaxLanes(D16());
  static SACCADE_INLINE Acc zero() { return hn::Zero(D32()); }
  static SACCADE_INLINE Acc load(const int32_t* p) {
    const auto sums = hn::LoadU(DHalf(), reinterpret_cast<const uint32_t*>(p));
    return hn::BitCast(D32(), hn::PromoteTo(D64(), sums));
  }
  static SACCADE_INLINE void store(Acc v, int32_t* p) {
    const auto pairs = hn::BitCast(D64(), v);
    const auto low = hn::TruncateTo(DHalf(), pairs);
    const auto high = hn::TruncateTo(DHalf(), hn::ShiftRight<32>(pairs));
    hn::StoreU(hn::Add(low, high), DHalf(), reinterpret_cast<uint32_t*>(p));
  }
  static SACCADE_INLINE B load_b(const std::byte* p, int) {
    const hn::Rebind<int8_t, D16> d8;
    return hn::PromoteTo(D16(), hn::LoadU(d8, reinterpret_cast<const int8_t*>(p)));
  }
  static SACCADE_INLINE B broadcast_a(const std::byte* p, int) {
    return hn::BitCast(D16(), hn::Set(D64(), *reinterpret_cast<const uint64_t*>(p)));
  }
  static SACCADE_INLINE Acc multiply_add(B a, B b, Acc acc) {
    Acc unused = hn::Zero(D32());
    return hn::ReorderWidenMulAccumulate(D32(), a, b, acc, unused);
  }
  template <class V>
  static SACCADE_INLINE void keep(V& v) {
    asm volatile("" : "+x"(v.raw));
  }
};

template <class Dot>
TileFamily family(const char* name, RowFormat format) {
  static constexpr TileList<Dot, 2, kRows> kWide;
  static constexpr TileList<Dot, 1, kRows> kNarrow;
  constexpr int kColumns = 2 * Dot::kLanes;
  return {name,
          format,
          kRows,
          kColumns,
          &burn<Dot>,
          kWide.functions,
          kColumns > 16 ? kNarrow.functions : nullptr};
}

TileFamily float_family(const char* name) {
  auto tiles = family<Float>(name, RowFormat::f32);
#if HWY_TARGET <= HWY_AVX3  // with 16 registers reading in place was slower than packing
  static constexpr TileList<Float, 2, kRows, true> kWide;
  static constexpr TileList<Float, 1, kRows, true> kNarrow;
  tiles.wide_in_place = kWide.functions;
  tiles.narrow_in_place = kNarrow.functions;
#endif
  return tiles;
}

Tiles GetTiles() {
  const char* name = hwy::TargetName(HWY_TARGET);
  return {HWY_TARGET, float_family(name), family<WidenedBf16>(name, RowFormat::f32),
          family<WidenedInt8>(name, RowFormat::i16)};
}

}  // namespace
}  // namespace saccade::runtime::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace saccade::runtime::kernels {
namespace {
HWY_EXPORT(GetTiles);
}

Tiles highway_tiles() { return HWY_DYNAMIC_DISPATCH(GetTiles)(); }

}  // namespace saccade::runtime::kernels
#endif
