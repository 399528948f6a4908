#pragma once
// Arithmetic of a graph: what the machine's peak is compared with.

#include "saccade/plan/graph.h"

namespace saccade::plan {

/// Whether a value is a product whose arithmetic can be chosen: a linear layer, a mixture of rows,
/// attention.
[[nodiscard]] bool is_product(const Value& value);
/// The arithmetic of a node's products; fp32 for whatever has no choice.
[[nodiscard]] ops::Precision precision_of(const Value& node);

/// Multiplications and additions of a value for N = `batch`, two for each multiply-add: products of
/// matrices, convolutions and the two products of attention. Everything else counts nothing.
[[nodiscard]] double operations(const Graph& graph, ValueId id, int64_t batch);

}  // namespace saccade::plan
