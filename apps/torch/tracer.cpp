#include "apps/torch/tracer.h"

#include "apps/cli/build.h"
#include "apps/cli/input_shape.h"
#include "apps/torch/libtorch.h"
#include "saccade/models/open.h"
#include "saccade/trace/trace.h"

namespace saccade::cli {

plan::Plan trace_eager_model(const ModelArgs& args) {
  const auto opened =
      models::open(args.model, {.config = args.config, .arch = args.arch, .needs_weights = false});
  const auto& about = opened.about;
  const auto size = input_shape(about.config, about.pipeline).get<Shape>();
  auto raw = trace::trace(*opened.model, {.inputs = {{"images", size}}, .outputs = {"logits"}});
  raw.info.name = about.name;
  raw.info.pipeline = about.pipeline;
  raw.info.labels = about.labels;
  raw.info.random_weights = opened.random_weights;
  raw.info.provenance = {{"program", fmt::format("saccade {}", version())},
                         {"libraries", libtorch_version()},
                         {"source", args.model},
                         {"system", about.system},
                         {"config", about.config}};
  return raw;
}

}  // namespace saccade::cli
