// Loads, stores and loops of rows that are no whole number of vectors. No include guard: included
// inside an open namespace once per target, after `namespace hn` and `using DF`, `using VF`.

constexpr int64_t kLanes = hn::MaxLanes(DF());

/// Whether masked loads and stores leave memory behind the mask alone.
constexpr bool kMasked = HWY_TARGET <= HWY_AVX2;

/// The first `count` < kLanes elements, zeros behind them.
SACCADE_INLINE VF load_some(const float* x, int64_t count) {
  const DF d;
  if constexpr (kMasked) return hn::MaskedLoad(hn::FirstN(d, count), d, x);
  alignas(64) float lanes[kLanes] = {};
  std::memcpy(lanes, x, count * sizeof(float));
  return hn::Load(d, lanes);
}
SACCADE_INLINE void store_some(VF v, int64_t count, float* y) {
  const DF d;
  if constexpr (kMasked) return hn::BlendedStore(v, hn::FirstN(d, count), d, y);
  alignas(64) float lanes[kLanes];
  hn::Store(v, d, lanes);
  std::memcpy(y, lanes, count * sizeof(float));
}
SACCADE_INLINE VF load_up_to(const float* x, int64_t count) {
  return count >= kLanes ? hn::LoadU(DF(), x) : load_some(x, count);
}

SACCADE_INLINE void store_up_to(VF v, int64_t count, float* y) {
  return count >= kLanes ? hn::StoreU(v, DF(), y) : store_some(v, count, y);
}

/// f(i, count) for vectors of count lanes, the last one short.
template <class F>
SACCADE_INLINE void each_vector(int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, kLanes);
  if (i < n) f(i, n - i);
}

/// y[i] = f(i, count).
template <class F>
SACCADE_INLINE void map(int64_t n, float* y, const F& f) {
  each_vector(n,
              [&](int64_t i, int64_t count) HWY_ATTR { store_up_to(f(i, count), count, y + i); });
}
