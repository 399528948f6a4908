#pragma once
// A plan of the small transformer of graphs.h, with labels and a pipeline of 8 x 8 pixels.

#include "saccade/plan/plan.h"
#include "saccade/runtime/session.h"
#include "tests/plan/graphs.h"

namespace saccade::test {

inline plan::Plan small_plan() {
  plan::Plan plan;
  plan.graph = small_vit();
  plan.info.name = "small";
  plan.info.labels = {"a", "b", "c", "d", "e"};
  auto& pipeline = plan.info.pipeline.emplace();
  pipeline.resize = ResizeRule::exact;
  pipeline.resize_height = pipeline.resize_width = 8;
  pipeline.crop_height = pipeline.crop_width = 8;
  return plan;
}

/// As `saccade trace` writes it: raw, with its answers for two pictures.
inline plan::Plan small_raw_plan() {
  auto raw = small_plan();
  raw.info.raw = true;
  const NamedTensors inputs = {{"images", random_tensor({2, 3, 8, 8}, "recorded")}};
  const auto engine = runtime::make_engine(std::make_shared<runtime::Model>(raw));
  raw.recordings.push_back({inputs, engine->run(inputs)});
  return raw;
}

}  // namespace saccade::test
