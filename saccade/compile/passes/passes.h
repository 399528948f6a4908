#pragma once
// The passes, in the order in which they run. Each is a function from graph to graph in a pair of
// files of its own; the result computes the same.

#include <cstdint>
#include <span>
#include <string_view>

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// Precision is assigned between the two.
enum class Stage : uint8_t { optimise, emit };

struct Pass {
  std::string_view name;
  std::string_view purpose;
  plan::Graph (*run)(const plan::Graph& graph);
  Stage stage = Stage::optimise;
};

[[nodiscard]] std::span<const Pass> passes();

}  // namespace saccade::compile
