#pragma once

#include "saccade/runtime/kernel.h"

namespace saccade::runtime {

/// The kernel of an operator that only moves fp32 numbers, or null: the reference is to be used.
[[nodiscard]] const Kernel* choose_move_kernel(const Bound& node);

}  // namespace saccade::runtime
