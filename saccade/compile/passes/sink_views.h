#pragma once

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// linear(view(x)) becomes view(linear(x)) where the view moves whole rows, so that windows are cut
/// where attention reads them and not before.
[[nodiscard]] plan::Graph sink_views(const plan::Graph& graph);

}  // namespace saccade::compile
