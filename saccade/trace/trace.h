#pragma once
// An eager model becomes a raw fp32 plan: it runs under libtorch's observer at batch 2, 3 and 5
// with different random inputs, and what those runs have in common is the graph.

#include "saccade/models/model.h"
#include "saccade/plan/plan.h"

namespace saccade::trace {

struct TraceOptions {
  /// The inputs for one picture, for instance {"images", [3, 224, 224]}; N comes in front.
  std::vector<std::pair<std::string, Shape>> inputs;
  /// Outputs to keep; empty: all.
  std::vector<std::string> outputs = {};
  /// Intermediate results that become outputs, by the names of list_taps(). The weights of an
  /// attention ("blocks.0.attn.attn_drop") cost its fused form, there alone.
  std::vector<std::string> taps = {};
  uint64_t seed = 1;
};

/// The graph with the recordings of two runs (batch 2 and 5); `info` is the caller's business.
/// Throws Error (not_supported) naming the module for what depends on the data: values read out,
/// other operators, constants or sizes that change with the input; and for operators that the
/// compiler does not know; (usage) for a tap that is not there, with the nearest names.
[[nodiscard]] plan::Plan trace(models::Model& model, const TraceOptions& options);

/// An intermediate result: the module's path or `<path>.<tap>`, and its shape for one picture.
struct Tap {
  std::string name;
  Shape shape;
};
/// In the order of their computation.
[[nodiscard]] std::vector<Tap> list_taps(models::Model& model, const TraceOptions& options);

}  // namespace saccade::trace
