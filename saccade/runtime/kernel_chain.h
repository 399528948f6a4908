#pragma once
// What neighbouring operators can spare each other.

#include <span>

#include "saccade/plan/memory.h"
#include "saccade/runtime/kernel.h"

namespace saccade::runtime {

/// One operator of a session.
struct Step {
  plan::ValueId value;  ///< that it computes
  Bound bound;
  const Kernel* kernel;
};

/// Lets operators whose results are read by matrix products alone store them as packed rows: they
/// are not written, read and packed once more. Changes no bit of any other value.
void chain_products(const plan::Graph& graph, const plan::MemoryMap& memory, std::span<Step> steps);

}  // namespace saccade::runtime
