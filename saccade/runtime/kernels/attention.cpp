#include "saccade/runtime/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "saccade/base/check.h"
#include "saccade/ops/panels.h"
#include "saccade/runtime/kernels/scratch.h"
#include "saccade/runtime/kernels/tiling.h"

namespace saccade::runtime::kernels {
namespace {

using ops::kPanelWidth;

constexpr int64_t kTasks = 24;  // at least so many, where there are rows enough

/// Which group and head a thread has packed last.
struct Packed {
  int64_t head = -1;
};

/// What one thread needs for itself.
struct Area {
  Packed* packed = nullptr;
  std::byte* key_panels = nullptr;
  std::byte* value_panels = nullptr;
  std::byte* query = nullptr;   // one row tile, packed
  float* scores = nullptr;      // [keys / 16][rows of the tile][16]: a packed row block for P . V
  uint16_t* weights = nullptr;  // the same as bf16, in pieces of 32
  float* rows = nullptr;        // 16 rows of k, or one of q or v
  float* unit = nullptr;        // one row of length 1
};

class Run {
 public:
  explicit Run(const Attention& op)
      : op_(op),
        table_(kernel_table()),
        half_(op.bf16 && table_.tiles.bf16.format == RowFormat::bf16),
        tiles_(half_ ? table_.tiles.bf16 : table_.tiles.f32),
        type_(half_ ? DType::BF16 : DType::F32),
        key_stride_(ops::panel_stride(type_, op.head_dim)),
        value_stride_(ops::panel_stride(type_, op.keys)),
        heads_(op.images * op.groups * op.heads),
        row_blocks_(std::min(ceil_div(kTasks, heads_), ceil_div(op.queries, kMaxTileRows))) {}

  Area cut(ScratchCutter& cutter) const {
    Area area;
    const int64_t key_panels = ceil_div(op_.keys, kPanelWidth);
    const int64_t row = round_up(std::max(op_.head_dim, op_.value_dim), kPanelWidth);
    area.packed = cutter.take<Packed>(1);
    area.key_panels = cutter.take<std::byte>(key_panels * key_stride_);
    area.value_panels =
        cutter.take<std::byte>(ceil_div(op_.value_dim, kPanelWidth) * value_stride_);
    area.query = cutter.take<std::byte>(piece_count(tiles_.format, op_.head_dim) * kPieceBytes *
                                        kMaxTileRows);
    area.scores = cutter.take<float>(key_panels * kPanelWidth * kMaxTileRows);
    if (half_) area.weights = cutter.take<uint16_t>(ceil_div(op_.keys, 32) * 32 * kMaxTileRows);
    area.rows = cutter.take<float>(kPanelWidth * row);
    area.unit = cutter.take<float>(row);
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
  struct Place {
    int64_t image, group, head;
  };
  [[nodiscard]] Place place_of(int64_t number) const {
    return {number / (op_.groups * op_.heads), number / op_.heads % op_.groups, number % op_.heads};
  }
  [[nodiscard]] static const float* row_of(const HeadRows& rows, const Place& place,
                                           const int64_t* table, int64_t per_group, int64_t i) {
    const int64_t number = place.group * per_group + i;
    return rows.data + place.image * rows.image_stride + place.head * rows.head_stride +
           (table != nullptr ? table[number] : number) * rows.row_stride;
  }
  [[nodiscard]] const float* addend(const Addend& a, const Place& place, int64_t query) const {
    if (a.data == nullptr) return nullptr;
    return a.data + place.image * a.image_stride + place.group * a.group_stride +
           place.head * a.head_stride + query * a.row_stride;
  }

  const float* unit(const float* x, float* to) const;
  void pack_keys(const Place& place, const Area& area) const;
  void pack_values(const Place& place, const Area& area) const;
  void attend(const Place& place, const Range& rows, const Area& area) const;
  void score(int64_t rows, const Area& area) const;
  void mix(const Place& place, const Range& rows, const float* sums, const Area& area) const;

  const Attention& op_;
  KernelTable table_;
  bool half_;
  const TileFamily& tiles_;
  DType type_;
  int64_t key_stride_, value_stride_;  // bytes from panel to panel
  int64_t heads_;                      // of all groups and images
  int64_t row_blocks_;                 // tasks for each
};

/// The row itself, or, for cosine attention, a copy of length 1 in `to`.
const float* Run::unit(const float* x, float* to) const {
  if (!op_.cosine) return x;
  const float length = std::sqrt(table_.rows.dot(x, x, op_.head_dim));
  table_.rows.scale(x, 1 / std::max(length, 1e-12F), op_.head_dim, to);
  return to;
}

/// k^T in panels: 16 rows of k become one panel.
void Run::pack_keys(const Place& place, const Area& area) const {
  const int64_t steps = ops::panel_steps(type_, op_.head_dim);  // 32-bit words of a row
  for (int64_t begin = 0; begin < op_.keys; begin += kPanelWidth) {
    const int64_t count = std::min(kPanelWidth, op_.keys - begin);
    for (int64_t i = 0; i < count; ++i) {
      const float* x = row_of(op_.k, place, op_.key_rows, op_.keys, begin + i);
      float* to = area.rows + i * steps;
      if (!half_) {
        if (unit(x, to) == x) std::memcpy(to, x, op_.head_dim * sizeof(float));
        continue;
      }
      auto* words = reinterpret_cast<uint16_t*>(to);
      words[2 * steps - 1] = 0;
      table_.rows.to_bf16(unit(x, area.unit), op_.head_dim, words);
    }
    table_.rows.transpose_panel(
        reinterpret_cast<const uint32_t*>(area.rows), steps, count, steps,
        reinterpret_cast<uint32_t*>(area.key_panels + begin / kPanelWidth * key_stride_));
  }
}

/// v in panels: a row of v is one step of all panels, two rows with bf16.
void Run::pack_values(const Place& place, const Area& area) const {
  const int64_t depth = ops::panel_group(type_);
  for (int64_t key = 0; key < op_.keys; key += depth) {
    const auto row = [&](int64_t i) { return row_of(op_.v, place, op_.key_rows, op_.keys, i); };
    std::byte* to = area.value_panels + key / depth * ops::kPanelStepBytes;
    if (!half_) {
      table_.rows.pack_row(RowFormat::f32, row(key), op_.value_dim, 0, 0, to, value_stride_);
      continue;
    }
    const float* next = area.rows;
    if (key + 1 < op_.keys)
      next = row(key + 1);
    else
      std::fill(area.rows, area.rows + op_.value_dim, 0.0F);
    table_.rows.interleave_bf16(row(key), next, op_.value_dim, to, value_stride_);
  }
}

/// One row tile from q to the result.
void Run::attend(const Place& place, const Range& rows, const Area& area) const {
  const int64_t count = rows.size();
  for (int64_t i = 0; i < count; ++i) {
    const float* x = row_of(op_.q, place, op_.query_rows, op_.queries, rows.begin + i);
    std::byte* to = area.query + i * kPieceBytes;
    const int64_t stride = count * kPieceBytes;
    if (half_)
      table_.rows.pack_bf16(unit(x, area.unit), op_.head_dim, to, stride);
    else
      table_.rows.pack_row(RowFormat::f32, unit(x, area.unit), op_.head_dim, 0, 0, to, stride);
  }
  score(count, area);
  float sums[kMaxTileRows];
  for (int64_t i = 0; i < count; ++i) {
    SoftmaxRow row{};
    row.scores = area.scores + i * kPanelWidth;
    row.piece_stride = count * kPanelWidth;
    row.keys = op_.keys;
    row.scale = op_.head_scale != nullptr ? op_.head_scale[place.head] : op_.scale;
    row.bias = addend(op_.bias, place, rows.begin + i);
    row.mask = addend(op_.mask, place, rows.begin + i);
    if (half_) row.bf16 = area.weights + i * 32;
    row.bf16_stride = count * 32;
    sums[i] = table_.rows.softmax_row(row);
  }
  mix(place, rows, sums, area);
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
  for_each_group(tiles_, false, {0, op_.keys}, round_up(op_.keys, kPanelWidth),
                 [&](const Group& group) {
                   const int64_t panel = group.columns.begin / kPanelWidth;
                   const int64_t lane = group.columns.begin % kPanelWidth;
                   args.b = area.key_panels + panel * key_stride_ + lane * 4;
                   args.out = area.scores + panel * args.out_panel + lane;
                   group.functions[rows - 1](args);
                 });
}

/// result = weights . v / sums
void Run::mix(const Place& place, const Range& rows, const float* sums, const Area& area) const {
  alignas(64) float tile[kMaxTileRows * kMaxTileColumns];
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
    for (int64_t i = 0; i < rows.size(); ++i) {
      const int64_t number = place.group * op_.queries + rows.begin + i;
      const int64_t row = op_.query_rows != nullptr ? op_.query_rows[number] : number;
      float* to = op_.out + place.image * op_.out_image_stride + place.head * op_.out_head_stride +
                  row * op_.out_row_stride + c;
      table_.rows.scale(tile + i * kMaxTileColumns, 1 / sums[i], group.columns.size(), to);
    }
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
