#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// The arithmetic of one product.
struct Choice {
  ops::Precision precision = ops::Precision::fp32;
  double input_scale = 0.0;  ///< int8: step of the rows' bytes; 0: each row gets its own
  int64_t input_zero = 128;  ///< int8 with a scale: the byte of 0
};

/// For some of the values that products_of() names; the others stay fp32.
using Assignment = std::map<plan::ValueId, Choice>;

/// The products whose precision can be chosen, in the order of their computation: linear layers on
/// constant weights that are not packed yet and that nobody reads otherwise, mixtures of rows, and
/// attention.
[[nodiscard]] std::vector<plan::ValueId> products_of(const plan::Graph& graph);

/// Whether one of them can be computed so: attention and mixtures have no int8, and int8 takes
/// finite weights and sums of up to 65536 products.
[[nodiscard]] bool can_compute(const plan::Graph& graph, plan::ValueId id,
                               ops::Precision precision);

/// Gives products their precision; pack_weights then stores weights accordingly.
[[nodiscard]] plan::Graph assign_precision(const plan::Graph& graph, const Assignment& assignment);

/// The precisions that the products of a graph have, laid out or not.
[[nodiscard]] std::set<ops::Precision> precisions_of(const plan::Graph& graph);

/// What Info::precision says: the precision that all products share, or "mixed".
[[nodiscard]] std::string precision_name(const plan::Graph& graph);

}  // namespace saccade::compile
