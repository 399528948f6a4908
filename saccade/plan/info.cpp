#include <array>

#include "saccade/base/error.h"
#include "saccade/plan/plan.h"

namespace saccade::plan {
namespace {

constexpr std::array kKeys = {"name",     "task",   "precision", "raw",       "random_weights",
                              "pipeline", "labels", "report",    "provenance"};

const Json& object(const Json& json, std::string_view key, std::string_view where) {
  const auto& value = json[std::string(key)];
  if (!value.is_object()) throw input_error(where, "\"{}\" is no object", key);
  return value;
}

}  // namespace

Json to_json(const Info& info) {
  return {{"name", info.name},
          {"task", info.task},
          {"precision", info.precision},
          {"raw", info.raw},
          {"random_weights", info.random_weights},
          {"pipeline", info.pipeline ? to_json(*info.pipeline) : Json()},
          {"labels", info.labels},
          {"report", info.report},
          {"provenance", info.provenance}};
}

Info info_from_json(const Json& json, std::string_view where) {
  if (!json.is_object() || json.size() != kKeys.size())
    throw input_error(where, "the plan's description is no object of {} keys", kKeys.size());
  for (const auto* key : kKeys)
    if (!json.contains(key)) throw input_error(where, "the plan's description lacks \"{}\"", key);
  Info info;
  info.name = json_string(json, "name", where);
  info.task = json_string(json, "task", where);
  info.precision = json_string(json, "precision", where);
  info.raw = json_bool(json, "raw", where);
  info.random_weights = json_bool(json, "random_weights", where);
  if (!json["pipeline"].is_null()) info.pipeline = pipeline_from_json(json["pipeline"], where);
  if (!json["labels"].is_array()) throw input_error(where, "\"labels\" is no list");
  for (const auto& label : json["labels"]) {
    if (!label.is_string()) throw input_error(where, "a label is no text");
    info.labels.push_back(label.get<std::string>());
  }
  info.report = object(json, "report", where);
  info.provenance = object(json, "provenance", where);
  return info;
}

}  // namespace saccade::plan
