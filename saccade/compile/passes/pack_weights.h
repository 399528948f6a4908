#pragma once

#include <vector>

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// For each value, whether it is a weight that can be laid out: a constant matrix of F32 that
/// serves as the weight of linear layers and nothing else.
[[nodiscard]] std::vector<bool> packable_weights(const plan::Graph& graph);

/// Weights of linear layers are laid out in panels of the type that each layer's precision
/// multiplies; int8 panels get their scales and sums beside them.
[[nodiscard]] plan::Graph pack_weights(const plan::Graph& graph);

}  // namespace saccade::compile
