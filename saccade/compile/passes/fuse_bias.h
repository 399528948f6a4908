#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// A constant row added to a linear layer without bias becomes its bias.
[[nodiscard]] plan::Graph fuse_bias(const plan::Graph& graph);

}  // namespace saccade::compile
