#pragma once
// Computing values at compile time with the reference kernels.

#include <optional>

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// The result of a node for N = `batch` from its operands' values (empty for absent ones).
[[nodiscard]] HostTensor evaluate(const plan::Value& node, const std::vector<HostTensor>& operands,
                                  int64_t batch = 1);

/// True for operators that only move numbers of their first operand: reshape, permute, slice, roll,
/// gather with constant positions.
[[nodiscard]] bool is_view(const plan::Graph& graph, plan::ValueId id);

/// Views from `base` up to `end`, in the order of their computation, without base.
using Chain = std::vector<plan::ValueId>;
/// The views above a value, up to the first value that is none, which becomes `base`.
[[nodiscard]] Chain views_above(const plan::Graph& graph, plan::ValueId end, plan::ValueId& base);

/// For each element of the end of a chain, its place in the base, for N = `batch`: the views
/// applied to 0, 1, 2, ...
[[nodiscard]] HostTensor index_map(const plan::Graph& graph, plan::ValueId base, const Chain& chain,
                                   int64_t batch);

/// One view applied to the places of its operand, for the batch that they were made for.
[[nodiscard]] HostTensor apply_view(const plan::Graph& graph, plan::ValueId id,
                                    const HostTensor& places);

}  // namespace saccade::compile
