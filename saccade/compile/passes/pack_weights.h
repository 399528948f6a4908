#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// Weights of linear layers are laid out in panels.
[[nodiscard]] plan::Graph pack_weights(const plan::Graph& graph);

}  // namespace saccade::compile
