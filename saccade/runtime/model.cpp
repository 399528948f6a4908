#include "saccade/runtime/model.h"

#include <fmt/ranges.h>

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
  if (const auto problem = find_problem(plan_); !problem.empty())
    throw input_error(plan_.info.name, "the graph: {}", problem);
  for (const auto* bucket : buckets(std::as_const(plan_)))
    programs_.push_back(make_program(bucket->graph));
}

Model::Program Model::make_program(const Graph& graph) {
  Program program{&graph, plan::plan_memory(graph), {}, {}};
  const auto needed = needed_values(graph);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const auto kind = graph.values[i].kind;
    if (kind == ValueKind::input) program.inputs.push_back(id);
    if (kind == ValueKind::node && needed[i] && program.memory.owner[i] == id)
      program.steps.push_back(id);
  }
  return program;
}

size_t Model::find_size(int64_t height, int64_t width) const {
  std::vector<std::string> known;
  for (size_t i = 0; i < sizes(); ++i) {
    const auto picture = plan::picture_size(graph(i));
    if (picture == std::pair(height, width)) return i;
    if (picture) known.push_back(fmt::format("{}x{}", picture->first, picture->second));
  }
  throw usage_error(
      "{}: this plan has no pictures of {}x{}; it has {}. Add a size with `saccade "
      "compile MODEL --sizes HxW,HxW`",
      info().name, height, width, fmt::join(known, ", "));
}

std::string Model::input_types(size_t index) const {
  std::vector<std::string> types;
  for (size_t i = 0; i < sizes(); ++i)
    types.push_back(to_string(graph(i).value(inputs(i).at(index)).type));
  return fmt::format("{}", fmt::join(types, " or "));
}

}  // namespace saccade::runtime
