#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "saccade/image/filter/kernels.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "saccade/image/filter/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace saccade::image::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A group of pixels is 16 source bytes or fewer, widened to 16 lanes of 16 bits: two blocks of
// 128 bits. Vectors of 256 bits take it at once, shorter ones in two halves.
constexpr size_t kGroupLanes = 16;
using D8 = hn::CappedTag<uint8_t, 2 * kGroupLanes>;
using D16 = hn::CappedTag<int16_t, kGroupLanes>;
using D32 = hn::Repartition<int32_t, D16>;
using V32 = hn::Vec<D32>;

constexpr int kSplitBits = 12;

/// Where lane 2k and 2k+1 (as bytes low, high) of a group come from; 0x80 gives 0. Each pair of
/// lanes holds the same channel of two neighbouring pixels.
template <int kChannels>
constexpr std::array<uint8_t, 2 * kGroupLanes> shuffle() {
  constexpr int kPairs = kChannels == 3 ? 4 : kChannels;  // pairs of lanes per two pixels
  std::array<uint8_t, 2 * kGroupLanes> table{};
  for (size_t lane = 0; lane < kGroupLanes; ++lane) {
    const int pair = static_cast<int>(lane) / 2;
    const int channel = pair % kPairs;
    const int pixel = pair / kPairs * 2 + static_cast<int>(lane) % 2;
    const bool used = channel < kChannels;
    table[2 * lane] = used ? static_cast<uint8_t>(pixel * kChannels + channel) : 0x80;
    table[2 * lane + 1] = 0x80;
  }
  return table;
}

uint8_t clip(uint32_t sum) {
  return static_cast<uint8_t>(std::clamp(static_cast<int32_t>(sum) >> kFixedPointBits, 0, 255));
}

/// The sum of all blocks of four lanes.
template <class D>
HWY_INLINE auto fold(D, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 8) {
    const hn::Half<D> half;
    return hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v));
  } else {
    return v;
  }
}

/// Sums the lanes of each channel, rounds, clips and stores one pixel.
template <int kChannels>
HWY_INLINE void store_pixel(V32 low, V32 high, uint8_t* HWY_RESTRICT out) {
  const D32 d32;
  const V32 sum = hn::Add(low, hn::ShiftLeft<kSplitBits>(high));
  if constexpr (kChannels >= 3) {
    const hn::CappedTag<int32_t, 4> d4;
    const auto total = hn::Add(fold(d32, sum), hn::Set(d4, 1 << (kFixedPointBits - 1)));
    const hn::Rebind<uint8_t, decltype(d4)> d8;
    alignas(16) uint8_t bytes[4];
    hn::Store(hn::DemoteTo(d8, hn::ShiftRight<kFixedPointBits>(total)), d8, bytes);
    std::memcpy(out, bytes, kChannels);
  } else {
    alignas(32) uint32_t lanes[8] = {};
    hn::Store(hn::BitCast(hn::RebindToUnsigned<D32>(), sum), hn::RebindToUnsigned<D32>(), lanes);
    uint32_t total[2] = {1u << (kFixedPointBits - 1), 1u << (kFixedPointBits - 1)};
    for (size_t i = 0; i < hn::Lanes(d32); ++i) total[i % kChannels] += lanes[i];
    for (int c = 0; c < kChannels; ++c) out[c] = clip(total[c]);
  }
}

template <int kChannels>
HWY_INLINE void horizontal(const HorizontalWeights& weights, const uint8_t* const* rows,
                           uint8_t* const* out) {
  const D8 d8;
  const D16 d16;
  const D32 d32;
  constexpr int64_t kGroupBytes = kChannels == 3 ? 12 : 16;
  alignas(32) static constexpr auto kShuffle = shuffle<kChannels>();
  const uint8_t *row0 = rows[0], *row1 = rows[1], *row2 = rows[2], *row3 = rows[3];
  const auto zero = hn::Zero(d32);
  int64_t to = 0;
  for (const auto& output : weights.outputs) {
    const int16_t* HWY_RESTRICT w = weights.packed.data() + output.start;
    int64_t at = output.first_byte;
    auto low0 = zero, low1 = zero, low2 = zero, low3 = zero;
    auto high0 = zero, high1 = zero, high2 = zero, high3 = zero;
    auto low0b = zero, low1b = zero, low2b = zero, low3b = zero;  // second sums of other targets
    auto high0b = zero, high1b = zero, high2b = zero, high3b = zero;
    for (int64_t group = 0; group < output.groups; ++group, at += kGroupBytes) {
      for (size_t lane = 0; lane < kGroupLanes; lane += hn::Lanes(d16)) {
        const auto index = hn::Load(d8, kShuffle.data() + 2 * lane);
        const auto low = hn::LoadU(d16, w + lane);
        const auto high = hn::LoadU(d16, w + kGroupLanes + lane);
        const auto pixels = [&](const uint8_t* row) HWY_ATTR {
          return hn::BitCast(d16, hn::TableLookupBytesOr0(hn::LoadDup128(d8, row + at), index));
        };
        const auto p0 = pixels(row0), p1 = pixels(row1), p2 = pixels(row2), p3 = pixels(row3);
        low0 = hn::ReorderWidenMulAccumulate(d32, p0, low, low0, low0b);
        high0 = hn::ReorderWidenMulAccumulate(d32, p0, high, high0, high0b);
        low1 = hn::ReorderWidenMulAccumulate(d32, p1, low, low1, low1b);
        high1 = hn::ReorderWidenMulAccumulate(d32, p1, high, high1, high1b);
        low2 = hn::ReorderWidenMulAccumulate(d32, p2, low, low2, low2b);
        high2 = hn::ReorderWidenMulAccumulate(d32, p2, high, high2, high2b);
        low3 = hn::ReorderWidenMulAccumulate(d32, p3, low, low3, low3b);
        high3 = hn::ReorderWidenMulAccumulate(d32, p3, high, high3, high3b);
      }
      w += 2 * kGroupLanes;
    }
    const auto pairs = [](V32 sum, V32 other)
                           HWY_ATTR { return hn::RearrangeToOddPlusEven(sum, other); };
    store_pixel<kChannels>(pairs(low0, low0b), pairs(high0, high0b), out[0] + to);
    store_pixel<kChannels>(pairs(low1, low1b), pairs(high1, high1b), out[1] + to);
    store_pixel<kChannels>(pairs(low2, low2b), pairs(high2, high2b), out[2] + to);
    store_pixel<kChannels>(pairs(low3, low3b), pairs(high3, high3b), out[3] + to);
    to += kChannels;
  }
}

void FilterHorizontally(const HorizontalWeights& weights, const uint8_t* const* rows,
                        uint8_t* const* out) {
  switch (weights.channels) {
    case 1: return horizontal<1>(weights, rows, out);
    case 2: return horizontal<2>(weights, rows, out);
    case 3: return horizontal<3>(weights, rows, out);
    default: return horizontal<4>(weights, rows, out);
  }
}

/// Bytes [at, at + lanes of a half vector of bytes) of the result.
HWY_INLINE void vertical_chunk(std::span<const WeightPair> weights, const uint8_t* rows,
                               int64_t stride, int64_t count, uint8_t* HWY_RESTRICT out) {
  const D16 d16;
  const D32 d32;
  const hn::Rebind<uint8_t, D16> d8;
  const hn::Rebind<uint8_t, D32> d8_half;
  auto low_a = hn::Zero(d32), low_b = low_a, high_a = low_a, high_b = low_a;
  auto low_a2 = low_a, low_b2 = low_a, high_a2 = low_a, high_b2 = low_a;
  for (size_t pair = 0; pair < weights.size(); ++pair) {
    const auto first = static_cast<int64_t>(2 * pair);
    const auto even = hn::LoadU(d8, rows + first * stride);
    const auto odd = hn::LoadU(d8, rows + std::min(first + 1, count - 1) * stride);
    const auto a = hn::PromoteTo(d16, hn::InterleaveLower(d8, even, odd));
    const auto b = hn::PromoteTo(d16, hn::InterleaveUpper(d8, even, odd));
    const auto low = hn::BitCast(d16, hn::Set(d32, static_cast<int32_t>(weights[pair].low)));
    const auto high = hn::BitCast(d16, hn::Set(d32, static_cast<int32_t>(weights[pair].high)));
    low_a = hn::ReorderWidenMulAccumulate(d32, a, low, low_a, low_a2);
    low_b = hn::ReorderWidenMulAccumulate(d32, b, low, low_b, low_b2);
    high_a = hn::ReorderWidenMulAccumulate(d32, a, high, high_a, high_a2);
    high_b = hn::ReorderWidenMulAccumulate(d32, b, high, high_b, high_b2);
  }
  const auto finish = [&](V32 low, V32 low2, V32 high, V32 high2, uint8_t* to) HWY_ATTR {
    const auto sum = hn::Add(hn::RearrangeToOddPlusEven(low, low2),
                             hn::ShiftLeft<kSplitBits>(hn::RearrangeToOddPlusEven(high, high2)));
    const auto rounded = hn::Add(sum, hn::Set(d32, 1 << (kFixedPointBits - 1)));
    hn::StoreU(hn::DemoteTo(d8_half, hn::ShiftRight<kFixedPointBits>(rounded)), d8_half, to);
  };
  finish(low_a, low_a2, high_a, high_a2, out);
  finish(low_b, low_b2, high_b, high_b2, out + hn::Lanes(d8_half));
}

void FilterVertically(std::span<const WeightPair> weights, const uint8_t* rows, int64_t stride,
                      int64_t count, int64_t bytes, uint8_t* out) {
  const auto step = static_cast<int64_t>(hn::Lanes(D16()));
  if (bytes < step) {  // one narrow column: through a padded copy
    std::vector<uint8_t> copy(count * step);
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(copy.data() + i * step, rows + i * stride, bytes);
    alignas(16) uint8_t result[kGroupLanes];
    vertical_chunk(weights, copy.data(), step, count, result);
    std::memcpy(out, result, bytes);
    return;
  }
  for (int64_t at = 0; at + step <= bytes; at += step)
    vertical_chunk(weights, rows + at, stride, count, out + at);
  if (bytes % step != 0)  // the last chunk overlaps its neighbour
    vertical_chunk(weights, rows + bytes - step, stride, count, out + bytes - step);
}

std::string_view TargetName() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace saccade::image::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace saccade::image {
namespace {

constexpr int kSplitBits = 12;
constexpr int kGroupLanes = 16;

int16_t low_part(int32_t weight) { return static_cast<int16_t>(weight & ((1 << kSplitBits) - 1)); }
int16_t high_part(int32_t weight) { return static_cast<int16_t>(weight >> kSplitBits); }

HWY_EXPORT(FilterHorizontally);
HWY_EXPORT(FilterVertically);
HWY_EXPORT(TargetName);

}  // namespace

HorizontalWeights pack_horizontal(const FilterWeights& weights, int64_t channels) {
  const int64_t pairs = channels == 3 ? 4 : channels;  // pairs of lanes per two pixels
  const int64_t group_pixels = kGroupLanes / pairs;
  const auto fixed = weights.fixed_point();
  HorizontalWeights result;
  result.channels = channels;
  for (const auto& taps : weights.taps) {
    const int64_t groups = (taps.count + group_pixels - 1) / group_pixels;
    const auto start = static_cast<int64_t>(result.packed.size());
    result.outputs.push_back({taps.first * channels, groups, start});
    result.packed.resize(start + groups * 2 * kGroupLanes);
    for (int64_t tap = 0; tap < taps.count; ++tap) {
      int16_t* group = result.packed.data() + start + tap / group_pixels * 2 * kGroupLanes;
      const int64_t pixel = tap % group_pixels;
      const int32_t weight = fixed[taps.weight + tap];
      for (int64_t channel = 0; channel < channels; ++channel) {
        const int64_t lane = (pixel / 2 * pairs + channel) * 2 + pixel % 2;
        group[lane] = low_part(weight);
        group[kGroupLanes + lane] = high_part(weight);
      }
    }
  }
  return result;
}

std::vector<WeightPair> pack_vertical(std::span<const int32_t> weights) {
  std::vector<WeightPair> result((weights.size() + 1) / 2);
  for (size_t i = 0; i < weights.size(); ++i) {
    const int shift = i % 2 == 0 ? 0 : 16;
    result[i / 2].low |= static_cast<uint32_t>(static_cast<uint16_t>(low_part(weights[i])))
                         << shift;
    result[i / 2].high |= static_cast<uint32_t>(static_cast<uint16_t>(high_part(weights[i])))
                          << shift;
  }
  return result;
}

void filter_horizontally(const HorizontalWeights& weights, const uint8_t* const* rows,
                         uint8_t* const* out) {
  HWY_DYNAMIC_DISPATCH(FilterHorizontally)(weights, rows, out);
}

void filter_vertically(std::span<const WeightPair> weights, const uint8_t* rows, int64_t stride,
                       int64_t count, int64_t bytes, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(FilterVertically)(weights, rows, stride, count, bytes, out);
}

std::string_view vector_target() { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

}  // namespace saccade::image
#endif
