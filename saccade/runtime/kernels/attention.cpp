#include "saccade/runtime/kernels/attention.h"

#include <algorithm>

#include "saccade/base/check.h"
#include "saccade/ops/panels.h"
#include "saccade/runtime/kernels/attention_rows.h"
#include "saccade/runtime/kernels/scratch.h"
#include "saccade/runtime/kernels/tiling.h"

namespace saccade::runtime::kernels {
namespace {

using ops::kPanelWidth;

constexpr int64_t kTasks = 24;  // at least so many, where there are rows enough
constexpr int64_t kChunk = 64;  // rows packed in one call

/// Which group and head a thread has packed last.
struct Packed {
  int64_t head = -1;
};

/// What one thread needs for itself.
struct Area {
  Packed* packed = nullptr;
  std::byte* key_panels = nullptr;
  std::byte* value_panels = nullptr;
  std::byte* query = nullptr;    // one row tile, packed
  float* lone_key = nullptr;     // packed as a tile of one row
  float* lone_scores = nullptr;  // of the row tile
  float* scores = nullptr;       // [keys / 16][rows of the tile][16]: a packed row block for P . V
  uint16_t* weights = nullptr;   // the same as bf16, in pieces of 32
};

class Run {
 public:
  explicit Run(const Attention& op)
      : op_(op),
        table_(kernel_table()),
        half_(op.bf16 && table_.tiles.bf16.format == RowFormat::bf16),
        tiles_(half_ ? table_.tiles.bf16 : table_.tiles.f32),
        type_(half_ ? DType::BF16 : DType::F32),
        functions_(head_functions()),
        packing_(half_ ? avx512bf16_packing() : functions_.packing),
        key_stride_(ops::panel_stride(type_, op.head_dim)),
        value_stride_(ops::panel_stride(type_, op.keys)),
        paneled_(op.keys % kPanelWidth == 1 && op.keys > 1 ? op.keys - 1 : op.keys),
        heads_(op.images * op.groups * op.heads),
        row_blocks_(std::min(ceil_div(kTasks, heads_), ceil_div(op.queries, kMaxTileRows))) {}

  Area cut(ScratchCutter& cutter) const {
    Area area;
    const int64_t key_panels = ceil_div(op_.keys, kPanelWidth);
    area.packed = cutter.take<Packed>(1);
    area.key_panels = cutter.take<std::byte>(key_panels * key_stride_);
    area.value_panels =
        cutter.take<std::byte>(ceil_div(op_.value_dim, kPanelWidth) * value_stride_);
    area.query = cutter.take<std::byte>(pieces() * kPieceBytes * kMaxTileRows);
    area.lone_key = cutter.take<float>(pieces() * kPanelWidth);
    area.lone_scores = cutter.take<float>(kTileRowRoom);
    area.scores = cutter.take<float>(key_panels * kPanelWidth * kMaxTileRows);
    if (half_) area.weights = cutter.take<uint16_t>(ceil_div(op_.keys, 32) * 32 * kMaxTileRows);
    return area;
  }

  void execute(Pool& pool, std::span<std::byte> scratch, int64_t per_thread) const {
    const auto area_of = [&](int thread) {
      ScratchCutter cutter(scratch.subspan(thread * per_thread, per_thread));
      return cut(cutter);
    };
    for (int thread = 0; thread < pool.threads(); ++thread) area_of(thread).packed->head = -1;
    pool.run(heads_ * row_blocks_, [&](int64_t task, int thread) {
      const Area area = area_of(thread);
      const Place place = place_of(task / row_blocks_);
      if (area.packed->head != task / row_blocks_) {
        pack_keys(place, area);
        pack_values(place, area);
        area.packed->head = task / row_blocks_;
      }
      const Range rows = part({0, op_.queries}, row_blocks_, task % row_blocks_);
      const int64_t tiles = ceil_div(rows.size(), tiles_.rows);
      for (int64_t i = 0; i < tiles; ++i) attend(place, part(rows, tiles, i), area);
    });
  }

 private:
  [[nodiscard]] int64_t pieces() const { return piece_count(tiles_.format, op_.head_dim); }
  [[nodiscard]] bool has_lone_key() const { return paneled_ < op_.keys; }
  struct Place {
    int64_t image, group, head;
  };
  [[nodiscard]] Place place_of(int64_t number) const {
    return {number / (op_.groups * op_.heads), number / op_.heads % op_.groups, number % op_.heads};
  }
  [[nodiscard]] static const float* head_of(const HeadRows& rows, const Place& place) {
    return rows.data + place.image * rows.image_stride + place.head * rows.head_stride;
  }
  /// Pointers to rows, from row `first` of all groups.
  template <class T>
  static void find_rows(T* data, int64_t stride, const int64_t* table, int64_t first, int64_t count,
                        T** found) {
    for (int64_t i = 0; i < count; ++i)
      found[i] = data + (table != nullptr ? table[first + i] : first + i) * stride;
  }
  void find_keys(const HeadRows& rows, const Place& place, int64_t first, int64_t count,
                 const float** found) const {
    find_rows(head_of(rows, place), rows.row_stride, op_.key_rows, place.group * op_.keys + first,
              count, found);
  }
  [[nodiscard]] static const float* addend(const Addend& a, const Place& place, int64_t query) {
    return a.data + place.image * a.image_stride + place.group * a.group_stride +
           place.head * a.head_stride + query * a.row_stride;
  }

  void pack_keys(const Place& place, const Area& area) const;
  void pack_values(const Place& place, const Area& area) const;
  void attend(const Place& place, const Range& rows, const Area& area) const;
  void pack_queries(const Place& place, const Range& rows, const Area& area) const;
  void score(int64_t rows, const Area& area) const;
  void weigh(const Place& place, const Range& rows, float* inverse_sums, const Area& area) const;
  void mix(const Place& place, const Range& rows, const float* inverse_sums,
           const Area& area) const;

  const Attention& op_;
  KernelTable table_;
  bool half_;
  const TileFamily& tiles_;
  DType type_;
  HeadFunctions functions_;
  HeadPacking packing_;
  int64_t key_stride_, value_stride_;  // bytes from panel to panel
  /// Keys in panels: all, or all but a lone one behind full panels (49 = 3 * 16 + 1 is usual), for
  /// which a panel and a vector of each row would be too much.
  int64_t paneled_;
  int64_t heads_;       // of all groups and images
  int64_t row_blocks_;  // tasks for each
};

/// k^T in panels: 16 rows of k become one panel. In the last one the last row is repeated: scores
/// beyond the keys are not used.
void Run::pack_keys(const Place& place, const Area& area) const {
  const float* rows[kPanelWidth];
  float factors[kPanelWidth];
  HeadPack pack{rows, op_.cosine ? factors : nullptr, kPanelWidth, op_.head_dim, nullptr, 0};
  for (int64_t begin = 0; begin < paneled_; begin += kPanelWidth) {
    const int64_t count = std::min(kPanelWidth, paneled_ - begin);
    find_keys(op_.k, place, begin, count, rows);
    std::fill(rows + count, rows + kPanelWidth, rows[count - 1]);
    if (op_.cosine) functions_.unit_factors(rows, kPanelWidth, op_.head_dim, factors);
    pack.out = area.key_panels + begin / kPanelWidth * key_stride_;
    packing_.columns(pack);
  }
  if (!has_lone_key()) return;
  find_keys(op_.k, place, paneled_, 1, rows);
  if (op_.cosine) functions_.unit_factors(rows, 1, op_.head_dim, factors);
  pack.count = 1;
  pack.out = reinterpret_cast<std::byte*>(area.lone_key);
  pack.piece_stride = kPieceBytes;
  packing_.tile(pack);
}

/// v in panels: a row of v is one step of all panels, two rows with bf16.
void Run::pack_values(const Place& place, const Area& area) const {
  const float* rows[kChunk];
  HeadPack pack{rows, nullptr, 0, op_.value_dim, area.value_panels, value_stride_};
  for (int64_t begin = 0; begin < op_.keys; begin += kChunk) {
    pack.count = std::min(kChunk, op_.keys - begin);
    find_keys(op_.v, place, begin, pack.count, rows);
    packing_.steps(pack);
    pack.out += kChunk / ops::panel_group(type_) * ops::kPanelStepBytes;
  }
}

/// One row tile from q to the result.
void Run::attend(const Place& place, const Range& rows, const Area& area) const {
  float inverse_sums[kTileRowRoom];
  pack_queries(place, rows, area);
  score(rows.size(), area);
  weigh(place, rows, inverse_sums, area);
  mix(place, rows, inverse_sums, area);
}

/// q, scaled so that scores come out in units of ln 2.
void Run::pack_queries(const Place& place, const Range& rows, const Area& area) const {
  const float* found[kMaxTileRows];
  float factors[kTileRowRoom];
  const int64_t count = rows.size();
  find_rows(head_of(op_.q, place), op_.q.row_stride, op_.query_rows,
            place.group * op_.queries + rows.begin, count, found);
  std::fill(factors, factors + count, 1.0F);
  if (op_.cosine) functions_.unit_factors(found, count, op_.head_dim, factors);
  const float scale = op_.head_scale != nullptr ? op_.head_scale[place.head] : op_.scale;
  for (int64_t i = 0; i < count; ++i) factors[i] *= scale * kLog2E;
  packing_.tile({found, factors, count, op_.head_dim, area.query, count * kPieceBytes});
}

/// scores = q . k^T
void Run::score(int64_t rows, const Area& area) const {
  TileArgs args{};
  args.a = area.query;
  args.b_stride = key_stride_;
  args.steps = ops::panel_steps(type_, op_.head_dim);
  args.out_row = kPanelWidth;
  args.out_panel = rows * kPanelWidth;
  args.prefetch = area.key_panels;
  for_each_group(tiles_, false, {0, paneled_}, round_up(paneled_, kPanelWidth),
                 [&](const Group& group) {
                   const int64_t panel = group.columns.begin / kPanelWidth;
                   const int64_t lane = group.columns.begin % kPanelWidth;
                   args.b = area.key_panels + panel * key_stride_ + lane * 4;
                   args.out = area.scores + panel * args.out_panel + lane;
                   group.functions[rows - 1](args);
                 });
  if (has_lone_key())
    functions_.dots({reinterpret_cast<const float*>(area.query), area.lone_key, rows, pieces(),
                     half_, area.lone_scores});
}

/// Scores become weights, without being divided by their sums.
void Run::weigh(const Place& place, const Range& rows, float* inverse_sums,
                const Area& area) const {
  SoftmaxTile tile{};
  tile.scores = area.scores;
  tile.rows = rows.size();
  tile.keys = paneled_;
  if (has_lone_key()) tile.lone = area.lone_scores;
  int added = 0;
  for (const Addend* a : {&op_.bias, &op_.mask}) {
    if (a->data == nullptr) continue;
    tile.added[added] = addend(*a, place, rows.begin);
    tile.added_stride[added++] = a->row_stride;
  }
  tile.bf16 = area.weights;
  tile.inverse_sums = inverse_sums;
  functions_.softmax(tile);
}

/// result = weights . v / sums
void Run::mix(const Place& place, const Range& rows, const float* inverse_sums,
              const Area& area) const {
  alignas(64) float tile[kMaxTileRows * kMaxTileColumns];
  float* out[kMaxTileRows];
  find_rows(op_.out + place.image * op_.out_image_stride + place.head * op_.out_head_stride,
            op_.out_row_stride, op_.query_rows, place.group * op_.queries + rows.begin, rows.size(),
            out);
  TileArgs args{};
  args.a = half_ ? reinterpret_cast<const std::byte*>(area.weights)
                 : reinterpret_cast<const std::byte*>(area.scores);
  args.b_stride = value_stride_;
  args.steps = ops::panel_steps(type_, op_.keys);
  args.out = tile;
  args.out_row = kMaxTileColumns;
  args.out_panel = kPanelWidth;
  args.prefetch = area.value_panels;
  const int64_t filled = round_up(op_.value_dim, kPanelWidth);
  for_each_group(tiles_, false, {0, op_.value_dim}, filled, [&](const Group& group) {
    const int64_t c = group.columns.begin;
    args.b = area.value_panels + c / kPanelWidth * value_stride_ + c % kPanelWidth * 4;
    group.functions[rows.size() - 1](args);
    functions_.scale(
        {tile, kMaxTileColumns, rows.size(), c, group.columns.size(), inverse_sums, out});
  });
}

}  // namespace

int64_t attention_scratch(const Attention& op, int threads) {
  ScratchCutter cutter;
  static_cast<void>(Run(op).cut(cutter));
  return cutter.used() * threads;
}

void attention(const Attention& op, Pool& pool, std::span<std::byte> scratch) {
  SACCADE_CHECK(op.images > 0 && op.groups > 0 && op.heads > 0 && op.queries > 0 && op.keys > 0 &&
                    op.head_dim > 0 && op.value_dim > 0,
                "empty attention");
  const int64_t per_thread = attention_scratch(op, 1);
  SACCADE_CHECK(per_thread * pool.threads() <= static_cast<int64_t>(scratch.size()),
                "scratch of {} bytes is too small", scratch.size());
  Run(op).execute(pool, scratch, per_thread);
}

}  // namespace saccade::runtime::kernels
