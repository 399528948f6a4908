#pragma once
// Equal constants once: what the graphs of a plan share.

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "saccade/plan/graph.h"

namespace saccade::plan {

class ConstantPool {
 public:
  /// The number of the constant, or of one before it with the same name, type, layout and bytes.
  int32_t add(const Constant& constant);
  [[nodiscard]] const std::vector<Constant>& all() const { return constants_; }

 private:
  std::vector<Constant> constants_;
  std::unordered_multimap<uint64_t, int32_t> places_;  ///< by a part of the contents
};

}  // namespace saccade::plan
