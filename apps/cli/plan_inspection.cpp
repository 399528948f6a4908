#include "apps/cli/plan_inspection.h"

#include <fmt/format.h>

#include "saccade/base/sha256.h"
#include "saccade/plan/plan.h"

namespace saccade::cli {
namespace {

std::string_view name_of(ops::Layout layout) {
  return layout == ops::Layout::panels ? "panels" : "row-major";
}

Json tensor_row(const plan::Constant& tensor, std::string path, bool hash) {
  Json row{{"path", std::move(path)},
           {"name", tensor.name.empty() ? Json() : Json(tensor.name)},
           {"dtype", name(tensor.dtype)},
           {"shape", tensor.shape},
           {"layout", name_of(tensor.layout)}};
  if (hash) row["sha256"] = sha256(tensor.bytes);
  return row;
}

void add_recorded(const NamedTensors& tensors, const std::string& where, bool hash, Json& rows) {
  for (const auto& [name, tensor] : tensors)
    rows.push_back(tensor_row(plan::make_constant("", tensor), where + name, hash));
}

Json tensor_rows(const plan::Plan& plan, bool hash) {
  Json rows = Json::array();
  for (size_t i = 0; i < plan.graph.constants.size(); ++i)  // those of all sizes
    rows.push_back(tensor_row(plan.graph.constants[i], fmt::format("constants.{}", i), hash));
  size_t number = 0;
  for (const auto* bucket : buckets(plan))
    for (const auto& recording : bucket->recordings) {
      const auto where = fmt::format("recordings.{}.", number++);
      add_recorded(recording.inputs, where + "inputs.", hash, rows);
      add_recorded(recording.outputs, where + "outputs.", hash, rows);
    }
  return rows;
}

size_t recording_count(const plan::Plan& plan) {
  size_t count = 0;
  for (const auto* bucket : buckets(plan)) count += bucket->recordings.size();
  return count;
}

/// Types of inputs and outputs by name, and how often each operator stands in the graph.
void describe_graph(const plan::Graph& graph, Json& out) {
  for (const auto* kind : {"inputs", "outputs", "operators"}) out[kind] = Json::object();
  for (const auto& value : graph.values) {
    if (value.kind == plan::ValueKind::input) out["inputs"][value.name] = to_string(value.type);
    if (value.kind != plan::ValueKind::node) continue;
    auto& count = out["operators"][std::string(ops::info(value.op).name)];
    count = count.is_null() ? 1 : count.get<int64_t>() + 1;
  }
  for (const auto& output : graph.outputs)
    out["outputs"][output.name] = to_string(graph.value(output.value).type);
}

}  // namespace

Inspection inspect_plan(const std::filesystem::path& path, const InspectOptions& options) {
  const auto plan = plan::open(path);
  Inspection inspection;
  inspection.format = plan.info.raw ? "raw-plan" : "plan";
  auto& metadata = inspection.metadata;
  metadata = to_json(plan.info);
  if (options.hash) metadata["sha256"] = plan::check_digest(path);
  describe_graph(plan.graph, metadata);
  metadata["sizes"] = Json::array();
  for (const auto* bucket : buckets(plan)) {
    Json size;
    describe_graph(bucket->graph, size);
    metadata["sizes"].push_back(std::move(size));
  }
  metadata["label_count"] = plan.info.labels.size();
  metadata["constants"] = plan.graph.constants.size();
  metadata["recordings"] = recording_count(plan);
  inspection.tensors = tensor_rows(plan, options.hash);
  return inspection;
}

}  // namespace saccade::cli
