#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// A linear layer over swapped rows and columns works on the rows as they lie, and the swap comes
/// behind it, where it meets the one that takes it back (the token mixing of MLP-Mixer).
[[nodiscard]] plan::Graph mix_rows(const plan::Graph& graph);

}  // namespace saccade::compile
