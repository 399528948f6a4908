#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// Computes what depends on constants alone, unless that would make the plan larger: a result that
/// repeats a smaller constant (expand) is left as it is.
[[nodiscard]] plan::Graph fold_constants(const plan::Graph& graph);

}  // namespace saccade::compile
