#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// Computes equal values once: same operator, attributes and operands; constants with equal bytes.
[[nodiscard]] plan::Graph share_values(const plan::Graph& graph);

}  // namespace saccade::compile
