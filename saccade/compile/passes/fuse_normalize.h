#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// x / max(|x|, eps), spelled out as square, sum, root, clamp and division, becomes l2_normalize.
[[nodiscard]] plan::Graph fuse_normalize(const plan::Graph& graph);

}  // namespace saccade::compile
