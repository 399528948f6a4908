#pragma once
// A graph as bytes and back (the section "graph" of a plan file, docs/formats/plan.md).

#include "saccade/plan/bytes.h"
#include "saccade/plan/graph.h"

namespace saccade::plan {

/// Everything but the constants' contents.
void encode_graph(const Graph& graph, ByteWriter& out);
/// `constants` are those of the plan; types of results are inferred anew. Throws Error (bad_input)
/// with the position, or naming the value that find_problem() names.
[[nodiscard]] Graph decode_graph(ByteReader& in, std::vector<Constant> constants,
                                 std::string_view file);

void encode_dims(const ops::Dims& dims, ByteWriter& out);
[[nodiscard]] ops::Dims decode_dims(ByteReader& in);

}  // namespace saccade::plan
