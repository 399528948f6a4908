#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// An activation behind a linear layer, and the addition of another value to the result of a linear
/// layer or a normalisation, become part of it.
[[nodiscard]] plan::Graph fuse_epilogue(const plan::Graph& graph);

}  // namespace saccade::compile
