#include "apps/cli/plan_profile.h"

#include <algorithm>
#include <map>

#include "saccade/models/costs.h"
#include "saccade/plan/cost.h"

namespace saccade::cli {
namespace {

/// The numbers of the constants that no operator before has read, by operator.
std::vector<size_t> first_reads(const plan::Graph& graph, const plan::Value& node,
                                std::vector<bool>& seen) {
  std::vector<size_t> numbers;
  for (const auto id : node.operands) {
    if (!graph.is_constant(id)) continue;
    const auto number = static_cast<size_t>(graph.value(id).constant);
    if (!seen[number]) numbers.push_back(number);
    seen[number] = true;
  }
  return numbers;
}

/// Places of the rows of a module's parents and its own, the whole first: sorted by them, every
/// module stands in front of its children and behind its elder siblings.
std::vector<size_t> lineage(const std::string& path, const std::map<std::string, size_t>& places) {
  std::vector<size_t> out;
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1))
    if (const auto it = places.find(path.substr(0, dot)); it != places.end())
      out.push_back(it->second);
  if (!path.empty()) out.push_back(places.at(path));
  return out;
}

void sort_as_tree(std::vector<ProfileRow>& rows) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < rows.size(); ++i) places.emplace(rows[i].cost.path, i);
  std::ranges::sort(rows, {},
                    [&](const ProfileRow& row) { return lineage(row.cost.path, places); });
}

}  // namespace

std::vector<ProfileRow> profile_graph(const plan::Graph& graph) {
  models::CostTable costs, bytes;  // with the same rows
  std::vector<bool> seen(graph.constants.size());
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto& node = graph.values[i];
    if (node.kind != plan::ValueKind::node) continue;
    int64_t parameters = 0, size = 0;
    for (const size_t number : first_reads(graph, node, seen)) {
      const auto& constant = graph.constants[number];
      size += static_cast<int64_t>(constant.bytes.size());
      if (constant.dtype != DType::I64 && constant.dtype != DType::BOOL)
        parameters += ops::elements(constant.type().dims);
    }
    const double operations = plan::operations(graph, static_cast<plan::ValueId>(i), 1);
    costs.add(node.path, parameters, static_cast<int64_t>(operations / 2));
    bytes.add(node.path, size, 0);
  }
  const auto sizes = std::move(bytes).rows();
  std::vector<ProfileRow> rows;
  for (auto& cost : std::move(costs).rows())
    rows.push_back({std::move(cost), sizes[rows.size()].params});
  sort_as_tree(rows);
  return rows;
}

Shape one_picture(const plan::Graph& graph) {
  const auto input = std::ranges::find(graph.values, plan::ValueKind::input, &plan::Value::kind);
  Shape shape;
  if (input == graph.values.end()) return shape;
  for (const auto& dim : input->type.dims)
    if (!dim.batch) shape.push_back(dim.size);
  return shape;
}

}  // namespace saccade::cli
