#include "saccade/plan/memory.h"

#include <algorithm>
#include <numeric>

#include "saccade/base/checked.h"
#include "saccade/base/error.h"

namespace saccade::plan {
namespace {

/// From the value's own computation to its last use, both included.
struct Lifetime {
  ValueId first = 0;
  ValueId last = 0;
};

/// The same bytes under another shape.
bool is_view(const Value& value) {
  return value.kind == ValueKind::node && value.op == ops::Op::reshape;
}

std::vector<ValueId> owners(const Graph& graph) {
  std::vector<ValueId> owner(graph.values.size());
  for (size_t i = 0; i < owner.size(); ++i) {
    const auto& value = graph.values[i];
    owner[i] =
        is_view(value) ? owner[static_cast<size_t>(value.operands[0])] : static_cast<ValueId>(i);
  }
  return owner;
}

std::vector<Lifetime> lifetimes(const Graph& graph, const std::vector<ValueId>& owner) {
  std::vector<Lifetime> lives(owner.size());
  const auto use = [&](ValueId id, ValueId when) {
    auto& life = lives[static_cast<size_t>(owner[static_cast<size_t>(id)])];
    life.last = std::max(life.last, when);
  };
  for (size_t i = 0; i < owner.size(); ++i) {
    const auto self = static_cast<ValueId>(i);
    // The caller fills the inputs before the first operator runs.
    const bool input = graph.values[i].kind == ValueKind::input;
    lives[i] = {input ? 0 : self, self};
    for (const ValueId id : graph.values[i].operands)
      if (id != kAbsent) use(id, self);
  }
  for (const auto& output : graph.outputs)
    use(output.value, static_cast<ValueId>(graph.values.size()));
  return lives;
}

struct Block {
  ValueId id;
  int64_t size;
  int64_t offset = 0;
};

/// The lowest place at which the block meets none that live at the same time.
void place(Block& block, const std::vector<Block>& placed, const std::vector<Lifetime>& lives) {
  const auto& life = lives[static_cast<size_t>(block.id)];
  for (const auto& other : placed) {  // sorted by offset
    const auto& theirs = lives[static_cast<size_t>(other.id)];
    if (theirs.last < life.first || theirs.first > life.last) continue;
    if (block.offset + block.size <= other.offset) return;
    block.offset = std::max(block.offset, other.offset + other.size);
  }
}

bool in_arena(const Graph& graph, const std::vector<ValueId>& owner, size_t i) {
  return graph.values[i].kind != ValueKind::constant && owner[i] == static_cast<ValueId>(i);
}

}  // namespace

int64_t arena_bytes(const ops::Type& type) {
  const int64_t size = ops::elements(type.dims) * bytes(type.dtype);
  return (size + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

MemoryMap plan_memory(const Graph& graph) {
  MemoryMap map{owners(graph), std::vector<int64_t>(graph.values.size(), -1), 0};
  const auto lives = lifetimes(graph, map.owner);
  std::vector<Block> blocks;
  int64_t total = 0;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!in_arena(graph, map.owner, i)) continue;
    blocks.push_back({static_cast<ValueId>(i), arena_bytes(graph.values[i].type)});
    const auto sum = checked_add(total, blocks.back().size);
    if (!sum) throw resource_error("the values of this plan do not fit into any memory");
    total = *sum;
  }
  // Large ones first; they decide the size. Equal ones in the order of the graph.
  std::ranges::stable_sort(blocks, std::greater{}, &Block::size);
  std::vector<Block> placed;
  for (auto& block : blocks) {
    place(block, placed, lives);
    map.offset[static_cast<size_t>(block.id)] = block.offset;
    map.size = std::max(map.size, block.offset + block.size);
    placed.insert(std::ranges::upper_bound(placed, block.offset, {}, &Block::offset), block);
  }
  return map;
}

std::string print(const MemoryMap& map, const Graph& graph) {
  std::string text = fmt::format("arena of {} bytes for each picture\n", map.size);
  const auto lives = lifetimes(graph, map.owner);
  for (size_t i = 0; i < map.offset.size(); ++i) {
    if (map.offset[i] < 0) continue;
    const auto& value = graph.values[i];
    text += fmt::format("{:>12} + {:<12} %{} .. %{} {} {}\n", map.offset[i],
                        arena_bytes(value.type), lives[i].first, lives[i].last,
                        to_string(value.type), value.path.empty() ? value.name : value.path);
  }
  return text;
}

}  // namespace saccade::plan
