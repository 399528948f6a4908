#include "apps/cli/plan_profile.h"

#include <algorithm>
#include <limits>
#include <map>

#include "saccade/base/checked.h"
#include "saccade/plan/cost.h"

namespace saccade::cli {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

/// A plan may ask for more than 63 bits can count.
int64_t to_count(double number) {
  return number < static_cast<double>(kMost) ? static_cast<int64_t>(number) : kMost;
}

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

/// A module and those above it, the whole first; "blocks" of "blocks.0" is a list and no module.
std::vector<std::string> lineage(const std::string& path) {
  std::vector<std::string> out = {""};
  for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1))
    if (dot + 1 < path.size() && (path[dot + 1] < '0' || path[dot + 1] > '9'))
      out.push_back(path.substr(0, dot));
  if (!path.empty()) out.push_back(path);
  return out;
}

/// Rows in the order of first mention; what is added to a module counts for those above it.
class Tally {
 public:
  void add(const std::string& path, int64_t params, int64_t macs, int64_t bytes) {
    for (const auto& module : lineage(path)) {
      const auto [place, is_new] = places_.try_emplace(module, rows_.size());
      if (is_new) rows_.push_back({{module, 0, 0, ""}, 0});
      auto& row = rows_[place->second];
      row.cost.params += params, row.bytes += bytes;  // no more than the file has
      row.cost.macs = checked_add(row.cost.macs, macs).value_or(kMost);
    }
  }
  /// Every module in front of its children and behind its elder siblings.
  std::vector<ProfileRow> as_tree() && {
    std::ranges::sort(rows_, {}, [&](const ProfileRow& row) {
      std::vector<size_t> places;
      for (const auto& module : lineage(row.cost.path)) places.push_back(places_.at(module));
      return places;
    });
    return std::move(rows_);
  }

 private:
  std::vector<ProfileRow> rows_;
  std::map<std::string, size_t> places_;
};

}  // namespace

std::vector<ProfileRow> profile_graph(const plan::Graph& graph) {
  Tally tally;
  tally.add("", 0, 0, 0);
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
    tally.add(node.path, parameters, to_count(operations / 2), size);
  }
  return std::move(tally).as_tree();
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
