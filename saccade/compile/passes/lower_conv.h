#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// A convolution without groups becomes the product of its patches with a matrix, and a batch norm
/// behind it part of that matrix.
[[nodiscard]] plan::Graph lower_conv(const plan::Graph& graph);

}  // namespace saccade::compile
