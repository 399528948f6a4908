#pragma once
// Parameters, multiply-adds and bytes of a plan's modules, for `saccade profile`.

#include <vector>

#include "saccade/models/catalogue.h"
#include "saccade/plan/graph.h"

namespace saccade::cli {

struct ProfileRow {
  models::ModuleCost cost;
  int64_t bytes = 0;  ///< of its constants as they lie in memory
};

/// One row for each module that computes something, parents in front of their children, the whole
/// graph first (path ""). A constant counts for the first operator that reads it; tables of row
/// numbers are no parameters. Operators that were fused stand where the last of them was.
[[nodiscard]] std::vector<ProfileRow> profile_graph(const plan::Graph& graph);

/// The sizes of the first input for one picture, without N.
[[nodiscard]] Shape one_picture(const plan::Graph& graph);

}  // namespace saccade::cli
