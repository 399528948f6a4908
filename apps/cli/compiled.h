#pragma once
// A plan to run, from whatever names a model.

#include "apps/cli/verb.h"

namespace saccade::cli {

/// A compiled plan is opened; a raw one, or a model that is traced first, is compiled. In the lean
/// program a model is handed over to `saccade-torch`.
[[nodiscard]] plan::Plan compiled_plan(const Program& program, const ModelArgs& args);
/// The raw plan behind it. Throws Error (usage) for a plan that is compiled already.
[[nodiscard]] plan::Plan raw_plan(const Program& program, const ModelArgs& args);

/// True for `--taps list`: prints the names; the verb is done then.
[[nodiscard]] bool list_taps(const Program& program, const ModelArgs& args);

}  // namespace saccade::cli
