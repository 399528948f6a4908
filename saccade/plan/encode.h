#pragma once
// A graph as bytes and back (the section "graph" of a plan file, docs/formats/plan.md).

#include "saccade/plan/bytes.h"
#include "saccade/plan/graph.h"

namespace saccade::plan {

/// Everything but the constants' contents. `numbers` are the constants' numbers in the plan, by
/// their numbers in the graph.
void encode_graph(const Graph& graph, std::span<const int32_t> numbers, ByteWriter& out);
/// `constants` are those of the plan; types of results are inferred anew. Throws Error (bad_input)
/// with the position.
[[nodiscard]] Graph decode_graph(ByteReader& in, std::vector<Constant> constants);

void encode_dims(const ops::Dims& dims, ByteWriter& out);
[[nodiscard]] ops::Dims decode_dims(ByteReader& in);

}  // namespace saccade::plan
