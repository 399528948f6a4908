#pragma once
// How passes make a new graph out of an old one: values are copied in order, some of them replaced.

#include <functional>
#include <vector>

#include "saccade/plan/graph.h"

namespace saccade::compile {

/// How often each value is used, outputs included.
[[nodiscard]] std::vector<int> count_uses(const plan::Graph& graph);

class Rewriter {
 public:
  explicit Rewriter(const plan::Graph& from) : from_(from), map_(from.values.size(), kNone) {}

  /// The new graph, for new nodes and questions about their types.
  [[nodiscard]] plan::Graph& to() { return to_; }
  /// The new value of an old one that was copied or replaced before.
  [[nodiscard]] plan::ValueId at(plan::ValueId old) const;
  [[nodiscard]] std::vector<plan::ValueId> at(const std::vector<plan::ValueId>& old) const;
  /// Copies a value with its operands mapped.
  plan::ValueId copy(plan::ValueId old);
  void replace(plan::ValueId old, plan::ValueId with) { map_[static_cast<size_t>(old)] = with; }

  /// Calls visit(old) for every value in order. Whatever it has not replaced is copied. Then the
  /// outputs.
  [[nodiscard]] plan::Graph run(const std::function<void(plan::ValueId old)>& visit);

 private:
  static constexpr plan::ValueId kNone = -2;
  const plan::Graph& from_;
  plan::Graph to_;
  std::vector<plan::ValueId> map_;
};

/// A node with the same operator and attributes on other operands.
plan::ValueId clone_node(plan::Graph& graph, const plan::Value& node,
                         std::vector<plan::ValueId> operands);

}  // namespace saccade::compile
