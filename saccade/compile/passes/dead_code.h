#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// Drops values that no output needs, and constants that nobody uses. Inputs stay.
[[nodiscard]] plan::Graph dead_code(const plan::Graph& graph);

}  // namespace saccade::compile
