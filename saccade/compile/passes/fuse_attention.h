#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// Attention over heads (and windows) that were cut out of token rows by any chain of views becomes
/// one operator that reads them in place. Which views they are does not matter: where each number
/// comes from is computed and compared.
[[nodiscard]] plan::Graph fuse_attention(const plan::Graph& graph);

}  // namespace saccade::compile
