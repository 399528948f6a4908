#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// An activation behind a linear layer, then the addition of another value, become part of it.
[[nodiscard]] plan::Graph fuse_linear(const plan::Graph& graph);

}  // namespace saccade::compile
