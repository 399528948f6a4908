#include "saccade/runtime/kernel_chain.h"

namespace saccade::runtime {
namespace {

using kernels::Packing;
using plan::ValueId;

struct Use {
  Step* step;
  size_t operand;
};

/// Who reads the memory of each value; a step of its own for the caller, who reads outputs.
std::vector<std::vector<Use>> find_uses(const plan::Graph& graph, const plan::MemoryMap& memory,
                                        std::span<Step> steps) {
  std::vector<std::vector<Use>> uses(graph.values.size());
  const auto add = [&](ValueId id, const Use& use) {
    uses[static_cast<size_t>(memory.owner[static_cast<size_t>(id)])].push_back(use);
  };
  for (Step& step : steps) {
    const auto& operands = step.bound.node->operands;
    for (size_t i = 0; i < operands.size(); ++i)
      if (operands[i] != plan::kAbsent) add(operands[i], {&step, i});
  }
  for (const auto& output : graph.outputs) add(output.value, {nullptr, 0});
  return uses;
}

/// How all of them want the rows of a matrix packed, if they are products that agree.
std::optional<Packing> common_packing(std::span<const Use> uses) {
  std::optional<Packing> common;
  for (const auto& [step, operand] : uses) {
    if (step == nullptr || operand != 0 || step->kernel->row_packing == nullptr) return {};
    const auto packing = step->kernel->row_packing(step->bound);
    if (!packing || (common && *common != *packing)) return {};
    common = packing;
  }
  return common;
}

}  // namespace

void chain_products(const plan::Graph& graph, const plan::MemoryMap& memory,
                    std::span<Step> steps) {
  const auto uses = find_uses(graph, memory, steps);
  for (Step& step : steps) {
    if (step.kernel->can_pack == nullptr) continue;
    const auto& readers = uses[static_cast<size_t>(step.value)];
    const auto packing = common_packing(readers);
    if (!packing || !step.kernel->can_pack(step.bound, *packing)) continue;
    const int64_t room = step.bound.result.shape.count() * bytes(step.bound.result.dtype);
    if (packing->rows * packing->row_bytes() > room) continue;
    step.bound.packing = packing;
    for (const Use& use : readers) use.step->bound.takes_packed = true;
  }
}

}  // namespace saccade::runtime
