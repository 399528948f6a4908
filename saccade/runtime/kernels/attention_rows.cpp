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
constexpr int64_t kPanelColumns = 16;
constexpr int64_t kPieceFloats = kPieceBytes / static_cast<int64_t>(sizeof(float));

// ---- packing ----

/// The same for a tile and for steps: pieces of 16 elements.
template <bool kScaled>
SACCADE_INLINE void pack_pieces(const HeadPack& pack) {
  const HeadPack p = pack;  // a copy, which no store below can change
  for (int64_t begin = 0; begin < p.length; begin += kPieceFloats) {
    auto* piece = reinterpret_cast<float*>(p.out + begin / kPieceFloats * p.piece_stride);
    for (int64_t i = begin; i < begin + kPieceFloats; i += kLanes, piece += kLanes) {
      const int64_t lanes = std::clamp<int64_t>(p.length - i, 0, kLanes);
      const auto copy = [&](const auto& load) HWY_ATTR {
        for (int64_t r = 0; r < p.count; ++r) {
          VF v = load(p.rows[r] + i);
          if constexpr (kScaled) v = hn::Mul(v, hn::Set(DF(), p.factors[r]));
          hn::StoreU(v, DF(), piece + r * kPieceFloats);
        }
      };
      if (lanes == kLanes)
        copy([](const float* x) HWY_ATTR { return hn::LoadU(DF(), x); });
      else
        copy([&](const float* x) HWY_ATTR { return load_some(x, lanes); });
    }
  }
}

void pack_rows(const HeadPack& pack) {
  return pack.factors != nullptr ? pack_pieces<true>(pack) : pack_pieces<false>(pack);
}

/// Four elements of each fourth row, in blocks of 128 bits.
template <class D>
SACCADE_INLINE hn::Vec<D> load_blocks(D d, const float* const* rows, int64_t i) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::LoadU(d, rows[0] + i);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, rows + hn::MaxLanes(half), i),
                       load_blocks(half, rows, i));
  }
}

/// In each block of 128 bits, four rows of four elements become four columns.
template <bool kScaled>
SACCADE_INLINE void transpose(const HeadPack& pack) {
  const DF d;
  const hn::Repartition<double, DF> d64;
  const int64_t length = pack.length;
  for (int64_t r = 0; r < kPanelColumns; r += kLanes) {
    const float* const* rows = pack.rows + r;
    auto* to = reinterpret_cast<float*>(pack.out) + r;
    VF factors = hn::Set(d, 1.0F);
    if constexpr (kScaled) factors = hn::LoadU(d, pack.factors + r);
    const auto store = [&](auto column) HWY_ATTR {
      VF v = hn::BitCast(d, column);
      if constexpr (kScaled) v = hn::Mul(v, factors);
      hn::StoreU(v, d, to);
      to += kPanelColumns;
    };
    int64_t i = 0;
    for (; i + 4 <= length; i += 4) {
      const VF v0 = load_blocks(d, rows, i), v1 = load_blocks(d, rows + 1, i);
      const VF v2 = load_blocks(d, rows + 2, i), v3 = load_blocks(d, rows + 3, i);
      const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, v0, v1));
      const auto low23 = hn::BitCast(d64, hn::InterleaveLower(d, v2, v3));
      const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, v0, v1));
      const auto high23 = hn::BitCast(d64, hn::InterleaveUpper(d, v2, v3));
      store(hn::InterleaveLower(d64, low01, low23)), store(hn::InterleaveUpper(d64, low01, low23));
      store(hn::InterleaveLower(d64, high01, high23));
      store(hn::InterleaveUpper(d64, high01, high23));
    }
    for (; i < length; ++i) {
      alignas(64) float column[kLanes];
      for (int64_t row = 0; row < kLanes; ++row) column[row] = rows[row][i];
      store(hn::Load(d, column));
    }
  }
}

void pack_columns(const HeadPack& pack) {
  return pack.factors != nullptr ? transpose<true>(pack) : transpose<false>(pack);
}

// ---- softmax ----

using D4 = hn::CappedTag<float, 4>;
using V4 = hn::Vec<D4>;

struct Sum {
  template <class V>
  static SACCADE_INLINE V of(V a, V b) {
    return hn::Add(a, b);
  }
};
struct Largest {
  template <class V>
  static SACCADE_INLINE V of(V a, V b) {
    return hn::Max(a, b);
  }
};

template <class Op, class D>
SACCADE_INLINE V4 reduce_blocks(D, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return v;
  } else {
    const hn::Half<D> half;
    return reduce_blocks<Op>(half, Op::of(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

/// Lane j: all lanes of v[j], in an order that does not depend on j.
template <class Op>
SACCADE_INLINE V4 reduce_four(const VF (&v)[4]) {
  const DF d;
  const hn::Repartition<double, DF> d64;
  const auto pair = [&](VF a, VF b) HWY_ATTR {
    return hn::BitCast(d64, Op::of(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)));
  };
  const auto low = pair(v[0], v[1]), high = pair(v[2], v[3]);
  return reduce_blocks<Op>(d, Op::of(hn::BitCast(d, hn::InterleaveLower(d64, low, high)),
                                     hn::BitCast(d, hn::InterleaveUpper(d64, low, high))));
}

/// to[row] = finish(all lanes of f(row), row), finished four rows at a time; `to` has room.
template <class Op, class F, class Finish>
SACCADE_INLINE void reduce_rows(int64_t rows, float* to, const F& f, const Finish& finish) {
  const DF d;
  alignas(64) float lanes[kTileRowRoom * kLanes];
  int64_t r = 0;
  for (; r < rows; ++r) hn::Store(f(r), d, lanes + r * kLanes);
  for (; r % 4 != 0; ++r) hn::Store(hn::Zero(d), d, lanes + r * kLanes);
  for (r = 0; r < rows; r += 4) {
    const float* four = lanes + r * kLanes;
    const VF v[4] = {hn::Load(d, four), hn::Load(d, four + kLanes), hn::Load(d, four + 2 * kLanes),
                     hn::Load(d, four + 3 * kLanes)};
    hn::StoreU(finish(reduce_four<Op>(v), r), D4(), to + r);
  }
}

void unit_factors(const float* const* rows, int64_t count, int64_t length, float* factors) {
  const D4 d;
  const auto squares = [&](int64_t r) HWY_ATTR {
    VF sum = hn::Zero(DF());
    int64_t i = 0;
    const auto add = [&](VF x) HWY_ATTR { sum = hn::MulAdd(x, x, sum); };
    for (; i + kLanes <= length; i += kLanes) add(hn::LoadU(DF(), rows[r] + i));
    if (i < length) add(load_some(rows[r] + i, length - i));
    return sum;
  };
  reduce_rows<Sum>(count, factors, squares, [&](V4 sums, int64_t) HWY_ATTR {
    return hn::Div(hn::Set(d, 1.0F), hn::Max(hn::Sqrt(sums), hn::Set(d, 1e-12F)));
  });
}

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

template <bool kHalf>
SACCADE_INLINE void dot_rows(const DotRows& rows) {
  const DF d;
  const DotRows t = rows;
  const hn::RebindToUnsigned<DF> du;
  const VF high = hn::BitCast(d, hn::Set(du, 0xFFFF0000U));
  const auto low = [&](VF pairs) HWY_ATTR {
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::BitCast(du, pairs)));
  };
  const auto products = [&](int64_t r) HWY_ATTR {
    VF sum = hn::Zero(d);
    for (int64_t p = 0; p < t.pieces; ++p)
      for (int64_t i = 0; i < kPieceFloats; i += kLanes) {
        const VF a = hn::LoadU(d, t.tile + (p * t.rows + r) * kPieceFloats + i);
        const VF b = hn::LoadU(d, t.row + p * kPieceFloats + i);
        if constexpr (kHalf) {
          sum = hn::MulAdd(low(a), low(b), sum);
          sum = hn::MulAdd(hn::And(a, high), hn::And(b, high), sum);
        } else {
          sum = hn::MulAdd(a, b, sum);
        }
      }
    return sum;
  };
  reduce_rows<Sum>(t.rows, t.out, products, [](V4 sums, int64_t) HWY_ATTR { return sums; });
}

void dots(const DotRows& t) { return t.bf16 ? dot_rows<true>(t) : dot_rows<false>(t); }

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

/// Adds what is to be added to one row and returns its largest scores, one in each lane; -infinity
/// stands beyond the keys then, to the end of the vector.
template <int kAdded>
SACCADE_INLINE VF largest_scores(const SoftmaxTile& t, int64_t row) {
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
  return most;
}

/// Turns the scores of one row into weights and returns sums of them, one in each lane.
template <bool kHalf>
SACCADE_INLINE VF weigh(const SoftmaxTile& t, int64_t row, float largest) {
  const DF d;
  const Scores scores(t, row);
  const int64_t count = (t.keys + kLanes - 1) / kLanes;
  const VF most = hn::Set(d, largest);
  const auto weight = [&](int64_t v) HWY_ATTR {
    return power_of_two<kHalf>(hn::Sub(hn::LoadU(d, scores[v]), most));
  };
  VF sum = hn::Zero(d);
  if constexpr (kHalf) {
    const auto store = [&](int64_t v, VF low, VF high) HWY_ATTR {
      const int64_t key = v * kLanes;
      store_weights(low, high, t.bf16 + (key / 32 * t.rows + row) * 32 + key % 32);
      sum = hn::Add(sum, hn::Add(low, high));
    };
    int64_t v = 0;
    for (; v + 2 <= count; v += 2) store(v, weight(v), weight(v + 1));
    if (v < count) store(v, weight(v), hn::Zero(d));
  } else {
    for (int64_t v = 0; v < count; ++v) {
      const VF w = weight(v);
      hn::StoreU(w, d, scores[v]);
      sum = hn::Add(sum, w);
    }
  }
  return sum;
}

/// Adds to the scores of the lone key what is to be added, by the same arithmetic as to the others.
template <int kAdded>
SACCADE_INLINE void add_to_lone(const SoftmaxTile& t) {
  const hn::CappedTag<float, 1> d;
  for (int64_t r = 0; r < t.rows; ++r) {
    auto x = hn::LoadU(d, t.lone + r);
    for (int i = 0; i < kAdded; ++i)
      x = hn::MulAdd(hn::Set(d, t.added[i][r * t.added_stride[i] + t.keys]), hn::Set(d, kLog2E), x);
    hn::StoreU(x, d, t.lone + r);
  }
}

/// Turns the scores of the lone key into weights.
template <bool kHalf>
SACCADE_INLINE void weigh_lone(const SoftmaxTile& t, const float* largest) {
  const DF d;
  for (int64_t r = 0; r < t.rows; r += kLanes) {
    const VF x = hn::Sub(hn::LoadU(d, t.lone + r), hn::LoadU(d, largest + r));
    hn::StoreU(power_of_two<kHalf>(x), d, t.lone + r);
  }
}

/// Puts the weights of the lone key behind the others.
template <bool kHalf>
SACCADE_INLINE void append_lone(const SoftmaxTile& t) {
  for (int64_t r = 0; r < t.rows; ++r) {
    if constexpr (kHalf) {
      uint32_t bits;
      std::memcpy(&bits, t.lone + r, sizeof(bits));
      bits = (bits + 0x8000) >> 16;  // beside a zero
      std::memcpy(t.bf16 + (t.keys / 32 * t.rows + r) * 32 + t.keys % 32, &bits, sizeof(bits));
    } else {
      t.scores[(t.keys / 16 * t.rows + r) * 16] = t.lone[r];
    }
  }
}

/// First the largest score of all rows, then the weights of all rows: rows do not wait for each
/// other, and so much of each loop is under way at once that its latency is hidden.
template <int kAdded, bool kHalf>
void softmax_rows(const SoftmaxTile& tile) {
  const D4 d;
  const SoftmaxTile t = tile;  // a copy, as above
  float largest[kTileRowRoom] = {};
  const bool lone = t.lone != nullptr;
  if (lone) add_to_lone<kAdded>(t);
  const auto most = [&](int64_t r) HWY_ATTR { return largest_scores<kAdded>(t, r); };
  reduce_rows<Largest>(t.rows, largest, most, [&](V4 v, int64_t r) HWY_ATTR {
    if (lone) v = hn::Max(v, hn::LoadU(d, t.lone + r));
    // A row of nothing but -infinity: weights of 0 and a sum of 0, which makes NaN as elsewhere.
    return hn::IfThenElse(hn::Eq(v, hn::Set(d, -kInfinity)), hn::Zero(d), v);
  });
  if (lone) weigh_lone<kHalf>(t, largest);
  const auto weights = [&](int64_t r) HWY_ATTR { return weigh<kHalf>(t, r, largest[r]); };
  reduce_rows<Sum>(t.rows, t.inverse_sums, weights, [&](V4 sums, int64_t r) HWY_ATTR {
    if (lone) sums = hn::Add(sums, hn::LoadU(d, t.lone + r));
    return hn::Div(hn::Set(d, 1.0F), sums);
  });
  if (lone) append_lone<kHalf>(t);
}

template <int kAdded>
void softmax_added(const SoftmaxTile& t) {
  return t.bf16 != nullptr ? softmax_rows<kAdded, true>(t) : softmax_rows<kAdded, false>(t);
}

void softmax(const SoftmaxTile& t) {
  if (t.added[0] == nullptr) return softmax_added<0>(t);
  return t.added[1] == nullptr ? softmax_added<1>(t) : softmax_added<2>(t);
}

void scale(const ScaledTile& scaled) {
  const ScaledTile t = scaled;
  for (int64_t r = 0; r < t.rows; ++r) {
    const float* tile = t.tile + r * t.tile_stride;
    const VF factor = hn::Set(DF(), t.factors[r]);
    map(t.columns, t.out[r] + t.begin,
        [&](int64_t c, int64_t) HWY_ATTR { return hn::Mul(hn::LoadU(DF(), tile + c), factor); });
  }
}

HeadFunctions GetHeads() {
  return {{&pack_rows, &pack_columns, &pack_rows}, &unit_factors, &dots, &softmax, &scale};
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
