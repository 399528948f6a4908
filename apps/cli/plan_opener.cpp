#include "apps/cli/plan_opener.h"

#include <filesystem>

#include "apps/cli/picture_size.h"
#include "apps/cli/precision.h"
#include "saccade/runtime/session.h"

namespace saccade::cli {

bool names_plan(const std::string& model) {
  return model.ends_with(".plan") ||
         (std::filesystem::is_regular_file(model) && plan::is_plan(std::filesystem::path(model)));
}

size_t size_of(const runtime::Model& model, const std::string& text) {
  if (text.empty()) return 0;
  const auto [height, width] = parse_size("--size", text);
  return model.find_size(height, width);
}

OpenedModel open_plan(const ModelArgs& args) {
  const auto& file = args.model;
  const auto model = runtime::Model::open(file, {args.residence});
  const auto& info = model->info();
  if (!info.pipeline)
    throw usage_error(
        "{}: this plan says nothing about preprocessing, so no picture can be given "
        "to it",
        file);
  OpenedModel out;
  out.engine = runtime::make_engine(model);
  out.pipeline = *info.pipeline;
  if (const size_t size = size_of(*model, args.size); size > 0) {
    const auto picture = *plan::picture_size(model->graph(size));
    out.pipeline = for_size(out.pipeline, picture.first, picture.second);
  }
  out.labels = info.labels;
  out.name = file;
  out.precision = precision_here(model->plan());
  out.random_weights = info.random_weights;
  return out;
}

}  // namespace saccade::cli
