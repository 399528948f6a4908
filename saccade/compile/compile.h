#pragma once
// From a raw plan to one that runs fast: the driver that names, times, verifies and shows passes.

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/plan/plan.h"

namespace saccade::compile {

struct CompileOptions {
  std::set<std::string> skip;  ///< names of passes
  /// Called after each pass ("trace" before the first) with the graph and the seconds it took.
  std::function<void(std::string_view pass, const plan::Graph& graph, double seconds)> observe;
};

/// Runs the passes of passes/passes.h on the graph of every size; after each the graph is verified
/// (InternalError naming the pass). Keeps recordings out of the result. Throws Error (usage) for an
/// unknown pass.
[[nodiscard]] plan::Plan compile(const plan::Plan& raw, const CompileOptions& options = {});

}  // namespace saccade::compile
