#include "saccade/tune/report.h"

#include <algorithm>

#include "saccade/base/thread_pool.h"
#include "saccade/runtime/peak.h"

namespace saccade::tune {
namespace {

template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json layer_row(const Layer& layer) {
  Json row = {{"path", layer.path},
              {"operator", layer.op},
              {"precision", name(layer.chosen)},
              {"ms", Json::object()},
              {"error", Json::object()}};
  for (const Precision p : kPrecisions) {
    const auto& form = layer.form(p);
    if (!form.possible) continue;
    if (form.ms) row["ms"][std::string(name(p))] = *form.ms;
    if (form.error) row["error"][std::string(name(p))] = *form.error;
  }
  if (layer.chosen == Precision::int8) {
    const auto& choice = layer.form(Precision::int8).choice;
    row["input_scale"] = choice.input_scale > 0 ? Json(choice.input_scale) : Json("dynamic");
  }
  if (!layer.reason.empty()) row["reason"] = layer.reason;
  return row;
}

}  // namespace

Json report(const std::vector<Layer>& layers, const Facts& facts) {
  const auto arithmetic = runtime::arithmetic();
  Json out = {{"requested", name(facts.requested)},
              {"instructions",
               {{"fp32", arithmetic.fp32}, {"bf16", arithmetic.bf16}, {"int8", arithmetic.int8}}},
              {"threads", thread_count()},
              {"ms", {{"fp32", json_of(facts.ms_fp32)}, {"plan", json_of(facts.ms)}}},
              {"calibration", json_of(facts.calibration)},
              {"budget", json_of(facts.budget)},
              {"counts", Json::object()},
              {"layers", Json::array()}};
  if (const auto& c = facts.comparison)
    out["comparison"] = {{"pictures", c->pictures},
                         {"measure", c->top1 ? "top1" : "output_error"},
                         {"top1_fp32", json_of(c->top1_fp32)},
                         {"top1", json_of(c->top1)},
                         {"output_error", c->output_error},
                         {"loss", c->loss()}};
  for (const Precision p : kPrecisions)
    out["counts"][std::string(name(p))] = std::ranges::count(layers, p, &Layer::chosen);
  for (const auto& layer : layers) out["layers"].push_back(layer_row(layer));
  return out;
}

}  // namespace saccade::tune
