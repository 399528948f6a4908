#pragma once
// What `saccade trace` and `saccade compile MODEL` begin with.

#include "apps/cli/verb.h"
#include "saccade/plan/plan.h"

namespace saccade::cli {

/// Opens the model as open_eager_model() does (random weights where it has none) and traces it for
/// the picture size of its configuration, with pipeline, labels and provenance.
[[nodiscard]] plan::Plan trace_eager_model(const ModelArgs& args);

}  // namespace saccade::cli
