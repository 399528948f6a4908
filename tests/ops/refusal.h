#pragma once
// What a type rule says against operands.

#include <algorithm>
#include <string>
#include <vector>

#include "saccade/ops/op.h"

namespace saccade::ops {

/// Empty if the rule takes them; absent ones are null or left out at the end.
inline std::string refusal(Op op, std::vector<const Type*> types, const NamedAttributes& named) {
  types.resize(std::max(types.size(), info(op).operands.size()));
  try {
    static_cast<void>(infer(info(op), types, complete(info(op), named)));
  } catch (const RuleError& e) {
    return e.what();
  }
  return "";
}

}  // namespace saccade::ops
