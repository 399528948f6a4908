#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// A batch normalisation with constant statistics becomes part of the convolution before it:
/// w' = w s and b' = (b - mean) s + beta with s = gamma / sqrt(variance + eps), for each channel.
[[nodiscard]] plan::Graph fold_batch_norm(const plan::Graph& graph);

}  // namespace saccade::compile
