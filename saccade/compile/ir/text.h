#pragma once
// The text form of a graph: what `--dump-ir` writes, and what tests are written in.
//
//   %0 = input "images" : F32[N, 3, 32, 32]
//   %1 = constant #0 "head.weight" : F32[10, 3072]
//   %2 = reshape(%0) {shape = [N, 3072]} : F32[N, 3072]
//   %3 = linear(%2, %1) {activation = relu} : F32[N, 10] @ "head"
//   output "logits" = %3
//
// `_` is an absent operand (left out at the end), `#0` the number of a constant, whose bytes are no
// part of the text. Attributes that have the table's default are left out.

#include <string>
#include <string_view>
#include <vector>

#include "saccade/plan/graph.h"

namespace saccade::compile {

[[nodiscard]] std::string print(const plan::Graph& graph);
/// `constants` are what the numbers stand for. Accepts what print() writes, with free spacing and
/// `//` comments. Throws Error (bad_input) with `where` and the line; types are checked against the
/// operators' rules.
[[nodiscard]] plan::Graph parse(std::string_view text, std::vector<plan::Constant> constants,
                                std::string_view where);

}  // namespace saccade::compile
