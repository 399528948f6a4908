#include "apps/torch/opener.h"

#include "apps/cli/picture_size.h"
#include "saccade/models/engine.h"
#include "saccade/models/open.h"

namespace saccade::cli {

OpenedModel open_eager_model(const ModelArgs& args) {
  auto opened = models::open(
      args.model, {.config = args.config, .arch = args.arch, .needs_weights = args.needs_weights});
  if (!args.size.empty()) opened = models::resized(opened, parse_size("--size", args.size));
  OpenedModel out;
  out.engine = models::eager_engine(opened.model);
  out.pipeline = opened.about.pipeline;
  out.labels = opened.about.labels;
  out.name = opened.about.name;
  out.random_weights = opened.random_weights;
  return out;
}

}  // namespace saccade::cli
