#include "saccade/runtime/kernels/matmul.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "saccade/base/check.h"
#include "saccade/ops/op.h"
#include "saccade/runtime/kernels/scratch.h"
#include "saccade/runtime/kernels/tiling.h"

namespace saccade::runtime::kernels {
namespace {

using ops::kPanelStepBytes;
using ops::kPanelWidth;

static_assert(static_cast<int>(Activation::tanh) == static_cast<int>(ops::Activation::tanh));

constexpr int32_t kDynamicZero = 128;

// The grid. Its constants decide speed, not bits.
constexpr int64_t kManyRows = 768;  // from here on tasks are blocks of rows, else of columns
constexpr int64_t kRowsApart = 96;  // from here on rows are halved
constexpr int64_t kTasks = 28;      // at least so many, where the work allows
constexpr int64_t kRowBlock = 112;  // rows: 8 tiles of 14
constexpr int64_t kRowBlockBytes = 512 << 10;  // of packed A, to stay in a core's cache
constexpr int64_t kColumnChunk = 64;
constexpr int64_t kTaskMacs = 256 << 10;
constexpr int64_t kBlockSteps = 1024;  // of the summed dimension: 64 KiB of a panel

/// Two threads share the rows of each product in the same way: what a thread writes is in its
/// core's cache when the next product reads it.
int64_t row_parts(int64_t m) { return m >= kRowsApart && m < kManyRows ? 2 : 1; }

/// Tiles of `rows` rows or fewer for m rows.
int64_t count_tiles(int64_t m, int64_t rows) { return round_up(ceil_div(m, rows), row_parts(m)); }

/// How the work is cut, from the shape alone. Shared: A is packed once by all threads, then tasks
/// are (block of rows, chunk of columns). Otherwise each task packs a block of rows for itself and
/// makes all columns of it.
struct Grid {
  bool shared;
  int64_t row_blocks;
  int64_t column_chunks;
};

Grid make_grid(const Matmul& op) {
  if (op.m >= kManyRows) {
    const int64_t row_bytes = op.k * static_cast<int64_t>(sizeof(float));
    const int64_t largest =
        std::clamp<int64_t>(kRowBlockBytes / row_bytes, kMaxTileRows, kRowBlock);
    const int64_t wanted = std::min(ceil_div(kTasks, op.batch), ceil_div(op.m, kMaxTileRows));
    return {false, std::max(ceil_div(op.m, largest), wanted), 1};
  }
  const int64_t chunks = ceil_div(op.n, kColumnChunk);
  const int64_t affordable = op.m * op.n * op.k / (kTaskMacs * chunks);
  const int64_t wanted = ceil_div(kTasks, chunks * op.batch);
  const int64_t most = std::min({wanted, affordable, ceil_div(op.m, kMaxTileRows)});
  return {true, round_up(std::max<int64_t>(most, 1), row_parts(op.m)), chunks};
}

const TileFamily& family_of(const Tiles& tiles, DType type) {
  return type == DType::F32 ? tiles.f32 : type == DType::BF16 ? tiles.bf16 : tiles.i8;
}

/// Rows of A as tiles read them, with the scale of each row (int8).
struct PackedRows {
  std::byte* data = nullptr;
  float* scale = nullptr;
};

/// Memory that will be read soon.
struct Bytes {
  const std::byte* data = nullptr;
  int64_t size = 0;
};

/// What one thread needs for itself.
struct ThreadArea {
  PackedRows packed;             // of one block, where A is not shared
  std::byte* partial = nullptr;  // [rows of a block][columns of a tile], between blocks of K
  float* patch = nullptr;        // one row
  float* row_bias = nullptr;     // [rows of a block][16]: each one for a whole vector
};

/// Whether tiles can be stored as they come, but for the residual.
bool is_plain(const Matmul& op) {
  const Epilogue& e = op.epilogue;
  return op.right.type != DType::I8 && e.activation == Activation::none &&
         op.out.packing == nullptr && e.residual != op.out.data;
}

// Sets of the nearest cache (64 of 8 ways) that the rows of a tile must be spread over, so that
// they do not push each other out: to be read in place sooner than packed first, and to be read in
// place even if the operator before could pack them for nothing.
constexpr int64_t kSetsOfATile = 2, kSetsToSpare = 4;

/// Whether `tiles` can read the rows of A where they lie: without anything to be done to them on
/// the way, and spread over so many sets.
bool reads_in_place(const TileFamily& tiles, const Matmul& op, int64_t wanted_sets) {
  const bool plain = op.left.patches == nullptr && op.left.packed == nullptr;
  const bool whole_steps = op.k % ops::panel_group(op.right.type) == 0;
  constexpr int64_t kSets = 64;
  const int64_t lines = op.left.row_stride * static_cast<int64_t>(sizeof(float)) / kPieceBytes;
  const int64_t sets = kSets / std::gcd(lines, kSets);
  return tiles.wide_in_place != nullptr && plain && whole_steps &&
         (op.m == 1 || sets >= wanted_sets);
}

/// How `tiles` want the rows of A packed.
Packing packing_of(const TileFamily& tiles, const Matmul& op) {
  return {tiles.format, op.m, op.k, count_tiles(op.m, tiles.rows), 0};
}

class Run {
 public:
  explicit Run(const Matmul& op)
      : op_(op),
        table_(kernel_table()),
        tiles_(family_of(table_.tiles, op.right.type)),
        grid_(make_grid(op)),
        packing_(packing_of(tiles_, op)),
        pieces_(piece_count(tiles_.format, op.k)),
        steps_(ops::panel_steps(op.right.type, op.k)),
        step_bytes_(ops::panel_group(op.right.type) * kPieceBytes / piece_elements(tiles_.format)),
        panel_stride_(ops::panel_stride(op.right.type, op.k)),
        a_row_(op.left.row_stride * static_cast<int64_t>(sizeof(float))),
        plain_(is_plain(op)),
        in_place_(reads_in_place(tiles_, op, kSetsOfATile)),
        packs_(!in_place_ && op.left.packed == nullptr) {}

  /// Lays out the scratch area, or only counts it.
  void cut(ScratchCutter& cutter) {
    if (grid_.shared && packs_) shared_ = cut_rows(cutter, op_.m);
    per_thread_begin_ = cutter.used();
    area_ = cut_thread(cutter);
    per_thread_ = cutter.used() - per_thread_begin_;
  }

  [[nodiscard]] int64_t bytes(int threads) const {
    return per_thread_begin_ + per_thread_ * threads;
  }

  void execute(Pool& pool) {
    if (!grid_.shared) {
      pool.run(op_.batch * grid_.row_blocks, [&](int64_t task, int thread) {
        const ThreadArea area = area_of(thread);
        const int64_t image = task / grid_.row_blocks;
        const Range tiles = block_tiles(task % grid_.row_blocks);
        const int64_t first = packing_.tile(tiles.begin).begin;
        const bool more = task % grid_.row_blocks + 1 < grid_.row_blocks;
        const Range next = more ? block_rows(task % grid_.row_blocks + 1) : Range{0, 0};
        for (int64_t i = tiles.begin; packs_ && i < tiles.end; ++i)
          pack(packing_.tile(i), first, area.packed, area);
        multiply(image, tiles, {0, op_.n}, packs_ ? area.packed : from_row(given(), first), area,
                 packs_ ? Bytes{} : rows_of_a(next));
      });
      return;
    }
    if (packs_)
      pool.run(packing_.tiles, [&](int64_t task, int thread) {
        pack(packing_.tile(task), 0, shared_, area_of(thread));
      });
    const PackedRows rows = packs_ ? shared_ : given();
    const int64_t tasks = grid_.column_chunks * grid_.row_blocks;
    pool.run(op_.batch * tasks, [&](int64_t task, int thread) {
      const int64_t chunk = task % grid_.column_chunks;
      const Range tiles = block_tiles(task % tasks / grid_.column_chunks);
      const Range columns{chunk * kColumnChunk, std::min(op_.n, (chunk + 1) * kColumnChunk)};
      multiply(task / tasks, tiles, columns, from_row(rows, packing_.tile(tiles.begin).begin),
               area_of(thread), {});
    });
  }

 private:
  /// One tile's rows of A and of C.
  struct TileRows {
    Range rows;
    const std::byte* a;
    int64_t a_row, a_piece;  // bytes
  };
  /// What the sums of tile after tile begin with; strides in elements.
  struct Start {
    const void* at;
    int64_t row, panel;
    const void* next(int64_t rows) {
      return std::exchange(at, static_cast<const float*>(at) + rows * row);
    }
  };
  /// A block has fewer than kManyRows rows, and no family lower tiles than this.
  static constexpr int64_t kMostTiles = kManyRows / 6 + 1;

  [[nodiscard]] int64_t row_bytes() const { return pieces_ * kPieceBytes; }
  /// Rows that came packed; none where tiles read them in place.
  [[nodiscard]] PackedRows given() const {
    return {const_cast<std::byte*>(op_.left.packed), nullptr};  // only read
  }
  /// Most rows of a block.
  [[nodiscard]] int64_t most_rows() const {
    return ceil_div(packing_.tiles, grid_.row_blocks) * tiles_.rows;
  }
  [[nodiscard]] bool is_int8() const { return op_.right.type == DType::I8; }

  PackedRows cut_rows(ScratchCutter& cutter, int64_t rows) const {
    PackedRows packed;
    packed.data = cutter.take<std::byte>(rows * row_bytes());
    packed.scale = cutter.take<float>(rows);
    return packed;
  }

  ThreadArea cut_thread(ScratchCutter& cutter) const {
    ThreadArea area;
    if (!grid_.shared && packs_) area.packed = cut_rows(cutter, most_rows());
    area.partial = cutter.take<std::byte>(most_rows() * kMaxTileColumns * 4);
    area.patch = cutter.take<float>(op_.k);
    if (op_.epilogue.row_bias != nullptr)
      area.row_bias = cutter.take<float>(most_rows() * kPanelWidth);
    return area;
  }

  [[nodiscard]] ThreadArea area_of(int thread) const {
    const auto move = [&](auto*& pointer) {
      using T = std::remove_reference_t<decltype(*pointer)>;
      if (pointer != nullptr)
        pointer =
            reinterpret_cast<T*>(reinterpret_cast<std::byte*>(pointer) + thread * per_thread_);
    };
    ThreadArea area = area_;
    move(area.packed.data), move(area.packed.scale);
    move(area.partial), move(area.patch), move(area.row_bias);
    return area;
  }

  [[nodiscard]] PackedRows from_row(const PackedRows& packed, int64_t row) const {
    if (packed.data == nullptr) return {};
    return {packed.data + row * row_bytes(), is_int8() ? packed.scale + row : nullptr};
  }

  /// Rows of C are cut into tiles of about the same height, and these into blocks.
  [[nodiscard]] Range block_tiles(int64_t block) const {
    return part({0, packing_.tiles}, grid_.row_blocks, block);
  }
  [[nodiscard]] Range block_rows(int64_t block) const {
    const Range tiles = block_tiles(block);
    return {packing_.tile(tiles.begin).begin, packing_.tile(tiles.end - 1).end};
  }
  [[nodiscard]] const std::byte* row_of_a(int64_t row) const {
    return reinterpret_cast<const std::byte*>(op_.left.data) + row * a_row_;
  }
  /// Where rows of A lie that are not packed here.
  [[nodiscard]] Bytes rows_of_a(const Range& rows) const {
    if (rows.size() == 0) return {};
    if (!in_place_) return {op_.left.packed + rows.begin * row_bytes(), rows.size() * row_bytes()};
    return {row_of_a(rows.begin), rows.size() * a_row_};
  }

  [[nodiscard]] int64_t out_offset(int64_t image, int64_t row, int64_t column) const {
    return image * op_.out_batch_stride + row * op_.out.row_stride + column;
  }

  /// Zero point of the rows' bytes.
  [[nodiscard]] int32_t zero() const {
    return op_.left.quantisation.scale > 0 ? op_.left.quantisation.zero : kDynamicZero;
  }
  void pack(const Range& rows, int64_t first, const PackedRows& to, const ThreadArea& area) const;
  void multiply(int64_t image, const Range& tiles, const Range& columns, const PackedRows& packed,
                const ThreadArea& area, const Bytes& next) const;
  std::span<const TileRows> find_tiles(const Range& tiles, const PackedRows& packed,
                                       std::span<TileRows> room) const;
  void spread_row_bias(std::span<const TileRows> tiles, float* to) const;
  void multiply_group(int64_t image, std::span<const TileRows> tiles, const Group& group,
                      const std::byte* b, const Bytes& ahead, const PackedRows& packed,
                      const ThreadArea& area) const;
  void finish(int64_t image, const Range& rows, const Range& columns, float* sums,
              const PackedRows& packed) const;

  const Matmul& op_;
  KernelTable table_;
  const TileFamily& tiles_;
  Grid grid_;
  Packing packing_;     // of the rows of A
  int64_t pieces_;      // of a packed row
  int64_t steps_;       // of a panel
  int64_t step_bytes_;  // of a packed row
  int64_t panel_stride_;
  int64_t a_row_;  // bytes from row to row, where they lie
  bool plain_;
  bool in_place_;  // tiles read the rows of A where they lie
  bool packs_;
  PackedRows shared_;
  ThreadArea area_;  // of thread 0; the others follow per_thread_ bytes apart
  int64_t per_thread_begin_ = 0, per_thread_ = 0;
};

/// Packs the rows of one tile; `to` starts at row `first`.
void Run::pack(const Range& rows, int64_t first, const PackedRows& to,
               const ThreadArea& area) const {
  const PackedRows tile = from_row(to, rows.begin - first);
  for (int64_t i = 0; i < rows.size(); ++i) {
    const float* x = op_.left.data + (rows.begin + i) * op_.left.row_stride;
    if (op_.left.patches != nullptr) {
      fetch_patch(*op_.left.patches, op_.left.data, rows.begin + i, area.patch);
      x = area.patch;
    }
    std::byte* to_row = tile.data + i * kPieceBytes;
    const int64_t stride = rows.size() * kPieceBytes;
    if (tiles_.format == RowFormat::bf16) {
      table_.rows.pack_bf16(x, op_.k, to_row, stride);
      continue;
    }
    float inverse = 0;
    if (is_int8()) {
      const float fixed = op_.left.quantisation.scale;
      const float largest = fixed > 0 ? 0 : table_.rows.largest_magnitude(x, op_.k);
      tile.scale[i] = fixed > 0 ? fixed : largest > 0 ? largest / 127 : 1;
      inverse = 1 / tile.scale[i];
    }
    table_.rows.pack_row(tiles_.format, x, op_.k, inverse, zero(), to_row, stride);
  }
}

/// Columns of C for the rows of one block, group by group as wide as a tile.
void Run::multiply(int64_t image, const Range& block, const Range& columns,
                   const PackedRows& packed, const ThreadArea& area, const Bytes& next) const {
  TileRows room[kMostTiles];
  const auto tiles = find_tiles(block, packed, room);
  if (op_.epilogue.row_bias != nullptr) spread_row_bias(tiles, area.row_bias);
  const std::byte* panels = op_.right.panels + image * op_.right_batch_stride;
  for_each_group(tiles_, in_place_, columns, round_up(op_.n, kPanelWidth), [&](const Group& group) {
    const int64_t c = group.columns.begin, end = c + group.width;
    const std::byte* b = panels + c / kPanelWidth * panel_stride_ + c % kPanelWidth * 4;
    const int64_t width = group.width / kPanelWidth * panel_stride_;  // 0: less than a panel
    const bool more = end < op_.n;
    const Bytes columns_ahead{panels + end / kPanelWidth * panel_stride_, width};
    multiply_group(image, tiles, group, b, more ? columns_ahead : next, packed, area);
  });
}

/// The bias of each row as a vector that its sums begin with.
void Run::spread_row_bias(std::span<const TileRows> tiles, float* to) const {
  for (int64_t r = tiles.front().rows.begin; r < tiles.back().rows.end; ++r, to += kPanelWidth)
    std::fill_n(to, kPanelWidth, op_.epilogue.row_bias[r]);
}

/// All rows of a block, one group of columns: a block of K of the panels stays in the nearest
/// cache while the tiles pass over it, and what comes next is fetched meanwhile.
void Run::multiply_group(int64_t image, std::span<const TileRows> tiles, const Group& group,
                         const std::byte* b, const Bytes& ahead, const PackedRows& packed,
                         const ThreadArea& area) const {
  const int64_t column = group.columns.begin;
  const bool whole = group.columns.size() == group.width;
  alignas(64) float padded_bias[kMaxTileColumns];
  const float* bias = is_int8() ? nullptr : op_.epilogue.bias;
  if (bias != nullptr) bias += column;
  if (bias != nullptr && !whole) {
    std::fill(std::copy_n(bias, group.columns.size(), padded_bias), std::end(padded_bias), 0.0F);
    bias = padded_bias;
  }
  alignas(64) float sums[kMaxTileRows * kMaxTileColumns];
  const float* residual = op_.epilogue.residual;
  const int64_t piece_steps = kPieceBytes / step_bytes_;
  TileArgs args;
  args.b_stride = panel_stride_;
  args.prefetch = ahead.size > 0 ? ahead.data : b;
  args.prefetch_lines = ceil_div(ahead.size, std::ssize(tiles) * pieces_ * kPieceBytes);
  args.out_panel = kPanelWidth;
  for (int64_t step = 0; step < steps_; step += kBlockSteps) {
    const bool last = step + kBlockSteps >= steps_, straight = plain_ && last && whole;
    args.steps = std::min(kBlockSteps, steps_ - step);
    args.b = b + step * kPanelStepBytes;
    const int64_t piece = step / piece_steps, pieces = args.steps / piece_steps;
    std::byte* partial = area.partial;
    Start start = step > 0 ? Start{area.partial, kMaxTileColumns, kPanelWidth}
                  : op_.epilogue.row_bias != nullptr ? Start{area.row_bias, kPanelWidth, 0}
                                                     : Start{bias, 0, kPanelWidth};
    for (const TileRows& tile : tiles) {
      args.a = tile.a + piece * tile.a_piece;
      args.a_row = tile.a_row;
      args.init = start.next(tile.rows.size());
      args.init_row = start.row;
      args.init_panel = start.panel;
      const int64_t at = out_offset(image, tile.rows.begin, column);
      args.out = straight ? op_.out.data + at : last ? static_cast<void*>(sums) : partial;
      args.out_row = straight ? op_.out.row_stride : kMaxTileColumns;
      args.added = straight && residual != nullptr ? residual + at : nullptr;
      group.functions[tile.rows.size() - 1](args);
      args.prefetch += args.prefetch_lines * pieces * 64;
      partial += tile.rows.size() * kMaxTileColumns * 4;
      if (last && !straight)
        finish(image, tile.rows, group.columns, sums,
               from_row(packed, tile.rows.begin - tiles.front().rows.begin));
    }
  }
}

/// The tiles of a block; packed rows begin with the first row of the block.
std::span<const Run::TileRows> Run::find_tiles(const Range& tiles, const PackedRows& packed,
                                               std::span<TileRows> room) const {
  const int64_t first_row = packing_.tile(tiles.begin).begin;
  SACCADE_CHECK(tiles.size() <= std::ssize(room), "{} tiles in a block", tiles.size());
  for (int64_t i = 0; i < tiles.size(); ++i) {
    const Range rows = packing_.tile(tiles.begin + i);
    room[i] = in_place_ ? TileRows{rows, row_of_a(rows.begin), a_row_, kPieceBytes}
                        : TileRows{rows, from_row(packed, rows.begin - first_row).data, kPieceBytes,
                                   rows.size() * kPieceBytes};
  }
  return room.first(tiles.size());
}

/// Stores the sums of a tile through the epilogue. The bias of fp32 sums is in them already.
void Run::finish(int64_t image, const Range& rows, const Range& columns, float* sums,
                 const PackedRows& packed) const {
  const Epilogue& e = op_.epilogue;
  const int64_t c = columns.begin, at = out_offset(image, rows.begin, c);
  FinishArgs args = {};
  args.tile = sums;
  args.tile_stride = kMaxTileColumns;
  args.rows = static_cast<int>(rows.size());
  args.columns = static_cast<int>(columns.size());
  if (is_int8()) {
    args.row_scale = packed.scale;
    args.zero = zero();
    args.column_scale = op_.right.column_scale + c;
    args.column_sum = op_.right.column_sum + c;
    args.bias = e.bias != nullptr ? e.bias + c : nullptr;
  }
  args.activation = e.activation;
  args.residual = e.residual != nullptr ? e.residual + at : nullptr;
  args.residual_row = op_.out.row_stride;
  args.out_panel = kPanelWidth;
  if (op_.out.packing == nullptr) {
    args.out = op_.out.data + at;
    args.out_row = op_.out.row_stride;
    return table_.rows.finish(args);
  }

  const Packing& packing = *op_.out.packing;
  const int64_t width = piece_elements(packing.format), first = image * op_.m;
  const auto place = packing.place(reinterpret_cast<std::byte*>(op_.out.data),
                                   {first + rows.begin, first + rows.end});
  std::byte* piece = place.first + c / width * place.piece_stride;
  if (packing.format == RowFormat::f32) {
    args.out = reinterpret_cast<float*>(piece);
    args.out_row = width;
    args.out_panel = place.piece_stride / static_cast<int64_t>(sizeof(float));
    return table_.rows.finish(args);
  }
  args.out = sums;
  args.out_row = kMaxTileColumns;
  table_.rows.finish(args);
  for (int64_t i = 0; i < columns.size(); i += width, piece += place.piece_stride)
    table_.rows.pack_tile_bf16(sums + i, kMaxTileColumns, args.rows, piece);
}

}  // namespace

std::optional<Packing> row_packing(const Matmul& op) {
  const KernelTable table = kernel_table();
  const TileFamily& tiles = family_of(table.tiles, op.right.type);
  if (op.right.type == DType::I8 || op.batch > 1) return std::nullopt;
  if (reads_in_place(tiles, op, kSetsToSpare)) return std::nullopt;
  return packing_of(tiles, op);
}

std::optional<Packing> panel_packing(const Matmul& op) {
  if (op.right.type != DType::F32 || op.n % kPanelWidth != 0) return std::nullopt;
  const int64_t tiles = op.batch * count_tiles(op.k, kMaxTileRows);
  return Packing{RowFormat::f32, op.batch * op.k, op.n, tiles, op.k};
}

bool can_pack_result(const Matmul& op, const Packing& packing) {
  const KernelTable table = kernel_table();
  const TileFamily& tiles = family_of(table.tiles, op.right.type);
  const int64_t width = piece_elements(packing.format);
  const bool same_tiles = packing.panel_rows > 0
                              ? packing.panel_rows == op.m
                              : packing.tiles == count_tiles(op.m, tiles.rows) && op.batch == 1;
  return packing.rows == op.m * op.batch && packing.k == op.n && same_tiles && op.n % width == 0 &&
         tiles.columns % width == 0 && op.epilogue.residual == nullptr;
}

int64_t matmul_scratch(const Matmul& op, int threads) {
  Run run(op);
  ScratchCutter cutter;
  run.cut(cutter);
  return run.bytes(threads);
}

void matmul(const Matmul& op, Pool& pool, std::span<std::byte> scratch) {
  SACCADE_CHECK(op.m > 0 && op.n > 0 && op.k > 0 && op.batch > 0, "empty product");
  SACCADE_CHECK(reinterpret_cast<uintptr_t>(op.right.panels) % ops::kPanelAlignment == 0,
                "panels are not aligned");
  SACCADE_CHECK(op.epilogue.row_bias == nullptr ||
                    (op.epilogue.bias == nullptr && op.right.type != DType::I8),
                "a bias of rows beside another one, or of int8 products");
  Run run(op);
  ScratchCutter cutter(scratch);
  run.cut(cutter);
  SACCADE_CHECK(run.bytes(pool.threads()) <= static_cast<int64_t>(scratch.size()),
                "scratch of {} bytes is too small", scratch.size());
  run.execute(pool);
}

}  // namespace saccade::runtime::kernels
