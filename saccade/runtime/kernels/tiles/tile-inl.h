// The register tile, written once. No include guard: included inside an open namespace, once for
// each instruction set. Dot is a class of static functions:
//   Acc, B, A          vector types
//   kStepBytes         bytes of a packed row per step
//   kParts             multiply-adds per step and accumulator
//   kVectorBytes       bytes of a step of B that one accumulator covers; 64: a whole panel
//   load_b(p, part), broadcast_a(p, part), multiply_add(a, b, acc)
//   Element, load(p), store(acc, p), zero(), kLanes: columns of an accumulator
//   add(acc, acc)      where Element is float
//   kMacs              multiply-adds of one multiply_add, keep(v): stops the optimiser
// The arithmetic of an element of out does not depend on the tile it stands in: one chain of
// multiply-adds in the order of K. Hence the same bits for any tiling.

/// The rows of a tile at one step. Packed ones stand 64 bytes apart, piece behind piece; others
/// where they lie, found from every third one, because x86 adds a stride once and twice for
/// nothing.
template <int kRows, bool kInPlace>
struct RowPointers {
  const std::byte* first;
  explicit SACCADE_INLINE RowPointers(const TileArgs& t) : first(t.a) {}
  SACCADE_INLINE const std::byte* operator[](int row) const { return first + row * kPieceBytes; }
  SACCADE_INLINE void advance(int64_t bytes) { first += bytes; }
  SACCADE_INLINE void next_piece() { first += (kRows - 1) * kPieceBytes; }
};
template <int kRows>
struct RowPointers<kRows, true> {
  static constexpr int kStarts = (kRows + 2) / 3;
  const std::byte* starts[kStarts];
  int64_t stride;
  explicit SACCADE_INLINE RowPointers(const TileArgs& t) : stride(t.a_row) {
    for (int i = 0; i < kStarts; ++i) starts[i] = t.a + 3 * i * stride;
  }
  SACCADE_INLINE const std::byte* operator[](int row) const {
    return starts[row / 3] + row % 3 * stride;
  }
  SACCADE_INLINE void advance(int64_t bytes) {
    SACCADE_UNROLL(8) for (auto& start : starts) start += bytes;
  }
  SACCADE_INLINE void next_piece() {}
};

template <class Dot, int kRows, int kVectors, class Rows>
SACCADE_INLINE void tile_step(const Rows& a, int offset, const std::byte* b, int64_t b_stride,
                              typename Dot::Acc (&acc)[kRows][kVectors]) {
  SACCADE_UNROLL(2) for (int part = 0; part < Dot::kParts; ++part) {
    typename Dot::B columns[kVectors];
    SACCADE_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) columns[v] = Dot::load_b(b + v * b_stride, part);
    SACCADE_UNROLL(16) for (int r = 0; r < kRows; ++r) {
      const auto value = Dot::broadcast_a(a[r] + offset, part);
      SACCADE_UNROLL(4)
      for (int v = 0; v < kVectors; ++v)
        acc[r][v] = Dot::multiply_add(value, columns[v], acc[r][v]);
    }
  }
}

/// Fetches a tile of C, to be written or only read.
template <int kRows, int kVectors, bool kWritten, class Element>
SACCADE_INLINE void prefetch_tile(const Element* at, int64_t row, int64_t vector) {
  SACCADE_UNROLL(1)
  for (int r = 0; r < kRows; ++r, at += row)
    for (int v = 0; v < kVectors; ++v) __builtin_prefetch(at + v * vector, kWritten);
}

/// out += added. A loop, because unrolled for each tile it is a lot of code.
template <class Dot, int kRows, int kVectors>
SACCADE_INLINE void add_to_tile(const float* added, float* out, int64_t row, int64_t vector) {
  SACCADE_UNROLL(1)
  for (int r = 0; r < kRows; ++r, out += row, added += row)
    for (int v = 0; v < kVectors; ++v) {
      float* at = out + v * vector;
      Dot::store(Dot::add(Dot::load(at), Dot::load(added + v * vector)), at);
    }
}

template <class Dot, int kRows, int kVectors, bool kInPlace>
void tile(const TileArgs& t) {
  constexpr int64_t kPieceSteps = kPieceBytes / Dot::kStepBytes;
  constexpr bool kWholePanels = Dot::kVectorBytes == 64;
  constexpr bool kAdds = std::is_same_v<typename Dot::Element, float>;
  const int64_t b_stride = kWholePanels ? t.b_stride : Dot::kVectorBytes;
  typename Dot::Acc acc[kRows][kVectors];
  const int64_t init_vector = kWholePanels ? t.init_panel : Dot::kLanes;
  const int64_t out_vector = kWholePanels ? t.out_panel : Dot::kLanes;
  const auto* init = static_cast<const typename Dot::Element*>(t.init);
  auto* out = static_cast<typename Dot::Element*>(t.out);
  SACCADE_UNROLL(16)
  for (int r = 0; r < kRows; ++r) SACCADE_UNROLL(4)
  for (int v = 0; v < kVectors; ++v)
    acc[r][v] = init ? Dot::load(init + r * t.init_row + v * init_vector) : Dot::zero();
  if constexpr (kWholePanels) {  // with fewer registers it does not pay
    prefetch_tile<kRows, kVectors, true>(out, t.out_row, out_vector);
    if (kAdds && t.added != nullptr)
      prefetch_tile<kRows, kVectors, false>(t.added, t.out_row, out_vector);
  }
  RowPointers<kRows, kInPlace> a(t);
  const std::byte *b = t.b, *ahead = t.prefetch;
  int64_t left = t.steps;
  for (; left >= kPieceSteps; left -= kPieceSteps) {
    for (int64_t line = 0; line < t.prefetch_lines; ++line, ahead += 64)
      __builtin_prefetch(ahead, 0, 2);
    for (int quad = 0; quad < kPieceSteps / 4; ++quad) {
      SACCADE_UNROLL(4)
      for (int s = 0; s < 4; ++s) tile_step<Dot>(a, s * Dot::kStepBytes, b + s * 64, b_stride, acc);
      a.advance(4 * Dot::kStepBytes);
      b += 4 * 64;
    }
    a.next_piece();
  }
  for (; left > 0; --left, b += 64) {
    tile_step<Dot>(a, 0, b, b_stride, acc);
    a.advance(Dot::kStepBytes);
  }
  SACCADE_UNROLL(16)
  for (int r = 0; r < kRows; ++r) SACCADE_UNROLL(4)
  for (int v = 0; v < kVectors; ++v) Dot::store(acc[r][v], out + r * t.out_row + v * out_vector);
  if constexpr (kAdds) {
    if (t.added != nullptr) add_to_tile<Dot, kRows, kVectors>(t.added, out, t.out_row, out_vector);
  }
}

template <class Dot>
double burn(int64_t rounds) {
  constexpr int kChains = 12;
  typename Dot::Acc acc[kChains];
  alignas(64) static const std::byte zeros[64] = {};
  SACCADE_UNROLL(16) for (auto& chain : acc) chain = Dot::zero();
  auto a = Dot::broadcast_a(zeros, 0);
  auto b = Dot::load_b(zeros, 0);
  Dot::keep(a);
  for (int64_t i = 0; i < rounds; ++i) {
    SACCADE_UNROLL(16) for (auto& chain : acc) {
      Dot::keep(b);
      chain = Dot::multiply_add(a, b, chain);
      Dot::keep(chain);
    }
  }
  return static_cast<double>(rounds) * kChains * Dot::kMacs;
}

template <class Dot, int kVectors, int kRows, bool kInPlace = false>
struct TileList {
  TileFunction functions[kRows];
  constexpr TileList() : functions{} { fill(std::make_integer_sequence<int, kRows>()); }
  template <int... i>
  constexpr void fill(std::integer_sequence<int, i...>) {
    ((functions[i] = &tile<Dot, i + 1, kVectors, kInPlace>), ...);
  }
};
