#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "saccade/runtime/kernels/attention_rows.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per target
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "saccade/runtime/kernels/attention_rows.h"

HWY_BEFORE_NAMESPACE();
namespace saccade::runtime::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;

#include "saccade/runtime/kernels/lanes-inl.h"
#include "saccade/runtime/kernels/math-inl.h"

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int64_t kPieceFloats = kPieceBytes / static_cast<int64_t>(sizeof(float));

// ---- packing ----

/// The same for a tile and for steps: pieces of 16 elements.
void pack_pieces(const HeadPack& pack) {
  const int64_t whole = pack.length / kLanes * kLanes;
  const int64_t end = (pack.length + kPieceFloats - 1) / kPieceFloats * kPieceFloats;
  for (int64_t r = 0; r < pack.count; ++r) {
    const float* x = pack.rows[r];
    const VF factor = hn::Set(DF(), pack.factors != nullptr ? pack.factors[r] : 1.0F);
    std::byte* out = pack.out + r * kPieceBytes;
    const auto store = [&](VF v, int64_t i) HWY_ATTR {
      auto* piece = reinterpret_cast<float*>(out + i / kPieceFloats * pack.piece_stride);
      hn::StoreU(hn::Mul(v, factor), DF(), piece + i % kPieceFloats);
    };
    int64_t i = 0;
    for (; i < whole; i += kLanes) store(hn::LoadU(DF(), x + i), i);
    if (i < pack.length) store(load_some(x + i, pack.length - i), i), i += kLanes;
    for (; i < end; i += kLanes) store(hn::Zero(DF()), i);
  }
}

/// Four rows of four elements each become four columns; blocks of 128 bits on every target.
void pack_columns(const HeadPack& pack) {
  const hn::CappedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> d64;
  constexpr int64_t kColumns = 16;
  auto* panel = reinterpret_cast<float*>(pack.out);
  for (int64_t r = 0; r < kColumns; r += 4) {
    const float* const* x = pack.rows + r;
    float factors[4] = {1, 1, 1, 1};
    if (pack.factors != nullptr) std::copy_n(pack.factors + r, 4, factors);
    const auto load = [&](int row, int64_t i) HWY_ATTR {
      return hn::Mul(hn::LoadU(d, x[row] + i), hn::Set(d, factors[row]));
    };
    int64_t i = 0;
    for (; i + 4 <= pack.length; i += 4) {
      const auto v0 = load(0, i), v1 = load(1, i), v2 = load(2, i), v3 = load(3, i);
      const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, v0, v1));
      const auto low23 = hn::BitCast(d64, hn::InterleaveLower(d, v2, v3));
      const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, v0, v1));
      const auto high23 = hn::BitCast(d64, hn::InterleaveUpper(d, v2, v3));
      float* to = panel + i * kColumns + r;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, low01, low23)), d, to);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, low01, low23)), d, to + kColumns);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, high01, high23)), d, to + 2 * kColumns);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, high01, high23)), d, to + 3 * kColumns);
    }
    for (; i < pack.length; ++i)
      for (int64_t row = 0; row < 4; ++row)
        panel[i * kColumns + r + row] = x[row][i] * factors[row];
  }
}

void unit_factors(const float* const* rows, int64_t count, int64_t length, float* factors) {
  for (int64_t r = 0; r < count; ++r) {
    const float sum = reduce_sum(length, [&](int64_t i, int64_t lanes) HWY_ATTR {
      const VF x = load_up_to(rows[r] + i, lanes);
      return hn::Mul(x, x);
    });
    factors[r] = 1 / std::max(std::sqrt(sum), 1e-12F);
  }
}

// ---- softmax ----

/// Two vectors of weights as bf16 side by side, halves away from zero. NaN may become another
/// value: the sum of the row is NaN then, and with it the result.
SACCADE_INLINE void store_weights(VF low, VF high, uint16_t* y) {
  const hn::RebindToUnsigned<DF> du;
  const hn::Repartition<uint16_t, DF> d16;
  const auto half = hn::Set(du, 0x8000);
  const auto a = hn::BitCast(d16, hn::Add(hn::BitCast(du, low), half));
  const auto b = hn::BitCast(d16, hn::Add(hn::BitCast(du, high), half));
  hn::StoreU(hn::ConcatOdd(d16, b, a), d16, y);
}

/// The scores of one row, vector by vector: pieces of 16 stand a row of the tile apart.
struct Scores {
  static constexpr int64_t kParts = 16 / kLanes;  // vectors of a piece
  float* first;
  int64_t piece_stride;
  SACCADE_INLINE Scores(const SoftmaxTile& t, int64_t row)
      : first(t.scores + row * 16), piece_stride(t.rows * 16) {}
  SACCADE_INLINE float* operator[](int64_t v) const {
    return first + v / kParts * piece_stride + v % kParts * kLanes;
  }
};

/// Adds what is to be added to one row and returns its largest score; -infinity stands beyond the
/// keys then, to the end of the vector.
template <int kAdded>
SACCADE_INLINE float largest_score(const SoftmaxTile& t, int64_t row) {
  const DF d;
  const Scores scores(t, row);
  const int64_t whole = t.keys / kLanes, rest = t.keys % kLanes;
  const VF log2e = hn::Set(d, kLog2E), nothing = hn::Set(d, -kInfinity);
  const float* added[kAdded + 1];
  for (int i = 0; i < kAdded; ++i) added[i] = t.added[i] + row * t.added_stride[i];
  const auto score = [&](int64_t v, int64_t lanes) HWY_ATTR {
    VF x = hn::LoadU(d, scores[v]);
    for (int i = 0; i < kAdded; ++i)
      x = hn::MulAdd(load_up_to(added[i] + v * kLanes, lanes), log2e, x);
    return x;
  };
  VF most = nothing;
  for (int64_t v = 0; v < whole; ++v) {
    const VF x = score(v, kLanes);
    if constexpr (kAdded > 0) hn::StoreU(x, d, scores[v]);
    most = hn::Max(most, x);
  }
  if (rest > 0) {
    const VF x = hn::IfThenElse(hn::FirstN(d, rest), score(whole, rest), nothing);
    hn::StoreU(x, d, scores[whole]);
    most = hn::Max(most, x);
  }
  return hn::GetLane(hn::MaxOfLanes(d, most));
}

/// Turns the scores of one row into weights and returns their sum.
template <bool kHalf>
SACCADE_INLINE float weigh(const SoftmaxTile& t, int64_t row, float largest) {
  const DF d;
  const Scores scores(t, row);
  const int64_t count = (t.keys + kLanes - 1) / kLanes;
  const VF most = hn::Set(d, largest);
  const auto weight = [&](int64_t v) HWY_ATTR {
    return power_of_two<kHalf>(hn::Sub(hn::LoadU(d, scores[v]), most));
  };
  VF sum = hn::Zero(d);
  for (int64_t v = 0; v < count; v += kHalf ? 2 : 1) {
    const VF w = weight(v);
    sum = hn::Add(sum, w);
    if constexpr (kHalf) {
      const VF next = v + 1 < count ? weight(v + 1) : hn::Zero(d);
      sum = hn::Add(sum, next);
      const int64_t key = v * kLanes;
      store_weights(w, next, t.bf16 + (key / 32 * t.rows + row) * 32 + key % 32);
    } else {
      hn::StoreU(w, d, scores[v]);
    }
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

/// First the largest score of all rows, then the weights of all rows: rows do not wait for each
/// other, and so much of each loop is under way at once that its latency is hidden.
template <int kAdded, bool kHalf>
void softmax_rows(const SoftmaxTile& t) {
  float largest[kMaxTileRows];
  for (int64_t r = 0; r < t.rows; ++r) {
    const float most = largest_score<kAdded>(t, r);
    // A row of nothing but -infinity: weights of 0 and a sum of 0, which makes NaN as elsewhere.
    largest[r] = most == -kInfinity ? 0 : most;
  }
  for (int64_t r = 0; r < t.rows; ++r) t.inverse_sums[r] = 1 / weigh<kHalf>(t, r, largest[r]);
}

template <int kAdded>
void softmax_added(const SoftmaxTile& t) {
  return t.bf16 != nullptr ? softmax_rows<kAdded, true>(t) : softmax_rows<kAdded, false>(t);
}

void softmax(const SoftmaxTile& t) {
  if (t.added[0] == nullptr) return softmax_added<0>(t);
  return t.added[1] == nullptr ? softmax_added<1>(t) : softmax_added<2>(t);
}

void scale(const ScaledTile& t) {
  for (int64_t r = 0; r < t.rows; ++r) {
    const float* tile = t.tile + r * t.tile_stride;
    const VF factor = hn::Set(DF(), t.factors[r]);
    map(t.columns, t.out[r] + t.begin,
        [&](int64_t c, int64_t) HWY_ATTR { return hn::Mul(hn::LoadU(DF(), tile + c), factor); });
  }
}

HeadFunctions GetHeads() {
  return {{&pack_pieces, &pack_columns, &pack_pieces}, &unit_factors, &softmax, &scale};
}

}  // namespace
}  // namespace saccade::runtime::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace saccade::runtime::kernels {
namespace {
HWY_EXPORT(GetHeads);
}

HeadFunctions head_functions() { return HWY_DYNAMIC_DISPATCH(GetHeads)(); }

}  // namespace saccade::runtime::kernels
#endif
