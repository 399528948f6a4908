#pragma once
// Which code computes a node: a fast kernel where there is one for its operands, else the
// reference.

#include <optional>
#include <span>

#include "saccade/ops/context.h"
#include "saccade/plan/graph.h"
#include "saccade/runtime/kernels/packing.h"
#include "saccade/runtime/kernels/pool.h"

namespace saccade::runtime {

/// A node with the addresses and sizes of its operands and result.
struct Bound {
  const ops::OpInfo* op = nullptr;
  const plan::Value* node = nullptr;
  std::vector<ops::Operand> operands;
  ops::Result result;
  bool takes_packed = false;                ///< operand 0 holds packed rows
  std::optional<kernels::Packing> packing;  ///< the result is to be stored as packed rows

  [[nodiscard]] bool has(size_t i) const { return i < operands.size() && operands[i].data; }
  [[nodiscard]] const ops::Operand& operand(size_t i) const { return operands[i]; }
  /// Null for an absent operand.
  [[nodiscard]] const float* floats(size_t i) const {
    return i < operands.size() ? operands[i].as<float>() : nullptr;
  }
};

/// An attribute of the node by name.
template <class T>
const T& attribute(const Bound& node, std::string_view name) {
  return plan::attribute<T>(*node.node, name);
}

struct Kernel {
  const char* name;
  /// Bytes of scratch with so many threads; null: none.
  int64_t (*scratch)(const Bound& node, int threads);
  /// Allocates nothing. The same bits for any number of threads.
  void (*run)(const Bound& node, Pool& pool, std::span<std::byte> scratch);
  /// How the rows of operand 0 may be packed by who makes them; null: they may not.
  std::optional<kernels::Packing> (*row_packing)(const Bound& node) = nullptr;
  /// Whether the result can be stored so; null: it cannot.
  bool (*can_pack)(const Bound& node, const kernels::Packing& packing) = nullptr;
};

/// The choice depends on types and layouts, never on the machine.
[[nodiscard]] const Kernel& choose_kernel(const Bound& node);

}  // namespace saccade::runtime
