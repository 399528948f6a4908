#include "apps/torch/tracer.h"

#include <algorithm>

#include "apps/cli/build.h"
#include "apps/cli/input_shape.h"
#include "apps/cli/output.h"
#include "apps/cli/picture_size.h"
#include "apps/torch/libtorch.h"
#include "saccade/models/open.h"
#include "saccade/trace/trace.h"

namespace saccade::cli {
namespace {

/// Sizes to trace, each once; the model's own where none are given.
std::vector<models::Pair> wanted_sizes(const ModelArgs& args, const Shape& own) {
  auto texts = args.sizes;
  if (texts.empty() && !args.size.empty()) texts.push_back(args.size);
  if (texts.empty()) return {{own[1], own[2]}};
  std::vector<models::Pair> sizes;
  for (const auto& text : texts) {
    const auto size = parse_size("--sizes", text);
    if (std::ranges::find(sizes, size) != sizes.end())
      throw usage_error("--sizes names {}x{} twice", size[0], size[1]);
    sizes.push_back(size);
  }
  return sizes;
}

void describe(const models::Opened& opened, const std::string& source, plan::Info& info) {
  const auto& about = opened.about;
  info.name = about.name;
  info.raw = true;
  info.pipeline = about.pipeline;
  info.labels = about.labels;
  info.random_weights = opened.random_weights;
  info.provenance = {{"program", fmt::format("saccade {}", version())},
                     {"libraries", libtorch_version()},
                     {"source", source},
                     {"system", about.system},
                     {"config", about.config}};
}

}  // namespace

plan::Plan trace_eager_model(const ModelArgs& args) {
  const auto opened =
      models::open(args.model, {.config = args.config, .arch = args.arch, .needs_weights = false});
  const auto own = input_shape(opened.about.config, opened.about.pipeline).get<Shape>();
  std::optional<plan::Plan> plan;
  for (const auto& size : wanted_sizes(args, own)) {
    const bool is_own = size[0] == own[1] && size[1] == own[2];
    const auto sized = is_own ? opened : models::resized(opened, size);
    auto raw = trace::trace(*sized.model, {.inputs = {{"images", {own[0], size[0], size[1]}}},
                                           .outputs = {"logits"},
                                           .taps = args.taps});
    if (plan) {
      plan->others.push_back(std::move(raw));
    } else {
      plan = std::move(raw);
      describe(sized, args.model, plan->info);
    }
    share_constants(*plan);
  }
  return std::move(*plan);
}

void print_taps(const ModelArgs& args) {
  const auto opened =
      models::open(args.model, {.config = args.config, .arch = args.arch, .needs_weights = false});
  const auto own = input_shape(opened.about.config, opened.about.pipeline).get<Shape>();
  Table table({{"name"}, {"for one picture"}});
  for (const auto& [name, shape] : trace::list_taps(*opened.model, {.inputs = {{"images", own}}}))
    table.add({name, to_string(shape)});
  fmt::print("{}", table.text());
}

}  // namespace saccade::cli
