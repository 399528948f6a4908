#include "saccade/runtime/model.h"

#include "saccade/base/error.h"

namespace saccade::runtime {
namespace {

using plan::Graph, plan::ValueId, plan::ValueKind;

std::vector<bool> needed_values(const Graph& graph) {
  std::vector<bool> needed(graph.values.size());
  for (const auto& output : graph.outputs) needed[static_cast<size_t>(output.value)] = true;
  for (size_t i = graph.values.size(); i-- > 0;)
    if (needed[i])
      for (const ValueId id : graph.values[i].operands)
        if (id != plan::kAbsent) needed[static_cast<size_t>(id)] = true;
  return needed;
}

}  // namespace

std::shared_ptr<const Model> Model::open(const std::filesystem::path& path,
                                         const plan::OpenOptions& options) {
  return std::make_shared<Model>(plan::open(path, options));
}

Model::Model(plan::Plan plan) : plan_(std::move(plan)) {
  const auto& g = graph();
  if (const auto problem = find_problem(g); !problem.empty())
    throw input_error(plan_.info.name, "the graph: {}", problem);
  memory_ = plan::plan_memory(g);
  const auto needed = needed_values(g);
  for (size_t i = 0; i < g.values.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (g.values[i].kind == ValueKind::input) inputs_.push_back(id);
    if (g.values[i].kind == ValueKind::node && needed[i] && memory_.owner[i] == id)
      steps_.push_back(id);
  }
}

}  // namespace saccade::runtime
