#include "apps/cli/plan_opener.h"

#include <filesystem>

#include "apps/cli/precision.h"
#include "saccade/runtime/session.h"

namespace saccade::cli {

bool names_plan(const std::string& model) {
  return model.ends_with(".plan") ||
         (std::filesystem::is_regular_file(model) && plan::is_plan(std::filesystem::path(model)));
}

OpenedModel open_plan(const std::string& file, const plan::OpenOptions& options) {
  const auto model = runtime::Model::open(file, options);
  const auto& info = model->info();
  if (!info.pipeline)
    throw usage_error(
        "{}: this plan says nothing about preprocessing, so no picture can be given "
        "to it",
        file);
  OpenedModel out;
  out.engine = runtime::make_engine(model);
  out.pipeline = *info.pipeline;
  out.labels = info.labels;
  out.name = file;
  out.precision = precision_here(model->plan());
  out.random_weights = info.random_weights;
  return out;
}

}  // namespace saccade::cli
