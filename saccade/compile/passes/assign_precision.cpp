#include "saccade/compile/passes/assign_precision.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "saccade/base/check.h"
#include "saccade/compile/passes/pack_weights.h"
#include "saccade/ops/linear.h"
#include "saccade/plan/cost.h"

namespace saccade::compile {

using ops::Op, ops::Precision, plan::Graph, plan::ValueId;

std::vector<ValueId> products_of(const Graph& graph) {
  const auto packable = packable_weights(graph);
  std::vector<ValueId> products;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto& value = graph.values[i];
    const bool taken = value.kind == plan::ValueKind::node && value.op == Op::linear &&
                       !packable[static_cast<size_t>(value.operands[1])];
    if (plan::is_product(value) && !taken) products.push_back(static_cast<ValueId>(i));
  }
  return products;
}

bool can_compute(const Graph& graph, ValueId id, Precision precision) {
  if (precision != Precision::int8) return true;
  if (!graph.is_node(id, Op::linear)) return false;
  const auto& weight = graph.constant_of(graph.value(id).operands[1]);
  return weight.shape[1] <= ops::kMaxInt8Depth &&
         std::ranges::all_of(weight.as<float>(), [](float x) { return std::isfinite(x); });
}

Graph assign_precision(const Graph& graph, const Assignment& assignment) {
  Graph out = graph;
  const auto products = products_of(graph);
  for (const auto& [id, choice] : assignment) {
    SACCADE_CHECK(
        std::ranges::binary_search(products, id) && can_compute(graph, id, choice.precision),
        "%{} cannot have that precision", id);
    auto& node = out.values[static_cast<size_t>(id)];
    const auto& op = ops::info(node.op);
    const auto set = [&](std::string_view name, ops::Attribute value) {
      node.attributes[op.attribute(name)] = std::move(value);
    };
    set("precision", static_cast<int64_t>(choice.precision));
    if (choice.precision != Precision::int8) continue;
    set("input_scale", choice.input_scale);
    set("input_zero", choice.input_zero);
  }
  return out;
}

std::set<Precision> precisions_of(const Graph& graph) {
  std::set<Precision> found;
  for (const auto& value : graph.values)
    if (plan::is_product(value)) found.insert(plan::precision_of(value));
  return found;
}

std::string precision_name(const Graph& graph) {
  const auto found = precisions_of(graph);
  if (found.size() > 1) return "mixed";
  const auto& spec = ops::info(Op::linear).attributes[ops::info(Op::linear).attribute("precision")];
  return std::string(spec.choices[found.empty() ? 0 : static_cast<size_t>(*found.begin())]);
}

}  // namespace saccade::compile
