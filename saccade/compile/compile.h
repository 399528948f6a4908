#pragma once
// From a raw plan to one that runs fast: the driver that names, times, verifies and shows passes.
// In two halves, so that precision can be chosen on the graph between them: optimise() computes the
// same in fp32, emit() gives products their precision and lays weights out.

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/compile/passes/assign_precision.h"
#include "saccade/plan/plan.h"

namespace saccade::compile {

struct CompileOptions {
  std::set<std::string> skip;  ///< names of passes
  /// Called after each pass ("trace" before the first) with the graph and the seconds it took.
  std::function<void(std::string_view pass, const plan::Graph& graph, double seconds)> observe;
};

/// Runs the passes of passes/passes.h that compute the same, on the graph of every size; after each
/// the graph is verified (InternalError naming the pass). Keeps recordings out of the result.
/// Throws Error (usage) for an unknown pass.
[[nodiscard]] plan::Plan optimise(const plan::Plan& raw, const CompileOptions& options = {});

/// assign_precision, then the passes that lay out: `optimised` may be emitted any number of times.
/// The assignment is that of the first size; the others follow it product by product.
[[nodiscard]] plan::Plan emit(const plan::Plan& optimised, const Assignment& assignment,
                              const CompileOptions& options = {});

/// Both, everything in fp32.
[[nodiscard]] plan::Plan compile(const plan::Plan& raw, const CompileOptions& options = {});

}  // namespace saccade::compile
