#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// Removes views that change nothing, also several in a row that undo each other, and joins
/// neighbouring reshapes and permutations.
[[nodiscard]] plan::Graph simplify_views(const plan::Graph& graph);

}  // namespace saccade::compile
