#include "saccade/plan/cost.h"

namespace saccade::plan {

bool is_product(const Value& value) {
  return value.kind == ValueKind::node &&
         (value.op == ops::Op::linear || value.op == ops::Op::mix ||
          value.op == ops::Op::attention);
}

ops::Precision precision_of(const Value& node) {
  return is_product(node) ? static_cast<ops::Precision>(attribute<int64_t>(node, "precision"))
                          : ops::Precision::fp32;
}

double operations(const Graph& graph, ValueId id, int64_t batch) {
  const auto& node = graph.value(id);
  if (node.kind != ValueKind::node) return 0.0;
  const auto operand = [&](size_t i) {
    return resolve(graph.value(node.operands[i]).type.dims, 1);
  };
  const auto out = resolve(node.type.dims, batch);
  const auto count = static_cast<double>(out.count());
  switch (node.op) {
    case ops::Op::linear:
    case ops::Op::matmul: return 2.0 * count * static_cast<double>(operand(0).last());
    case ops::Op::mix: return 2.0 * count * static_cast<double>(operand(1).last());
    case ops::Op::conv2d:
      return 2.0 * count * static_cast<double>(operand(1).product(1, operand(1).rank));
    case ops::Op::sdpa: {
      const auto keys = operand(1);
      const auto each = static_cast<double>(keys.last() + out.last());
      return 2.0 * count / static_cast<double>(out.last()) *
             static_cast<double>(keys[keys.rank - 2]) * each;
    }
    case ops::Op::attention: {
      const bool windows = node.operands[5] != kAbsent;
      return 4.0 * count * static_cast<double>(windows ? operand(5)[1] : operand(1)[1]);
    }
    default: return 0.0;
  }
}

}  // namespace saccade::plan
