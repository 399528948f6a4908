#pragma once
// What `saccade trace` and `saccade compile MODEL` begin with.

#include "apps/cli/verb.h"
#include "saccade/plan/plan.h"

namespace saccade::cli {

/// Opens the model as open_eager_model() does (random weights where it has none) and traces it,
/// with pipeline, labels and provenance: for each of `args.sizes`, the first of which becomes the
/// pipeline's, or for `args.size`, or for the picture size of its configuration.
[[nodiscard]] plan::Plan trace_eager_model(const ModelArgs& args);

/// What `--taps` may name: a line for each, with its shape.
void print_taps(const ModelArgs& args);

}  // namespace saccade::cli
