#pragma once
// The passes, in the order in which they run. Each is a function from graph to graph in a pair of
// files of its own; the result computes the same.

#include <span>
#include <string_view>

#include "saccade/plan/graph.h"

namespace saccade::compile {

struct Pass {
  std::string_view name;
  std::string_view purpose;
  plan::Graph (*run)(const plan::Graph& graph);
};

[[nodiscard]] std::span<const Pass> passes();

}  // namespace saccade::compile
