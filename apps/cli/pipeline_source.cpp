#include "apps/cli/pipeline_source.h"

#include <filesystem>

#include "apps/cli/build.h"
#include "apps/cli/picture_size.h"
#include "apps/cli/plan_opener.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/models/describe.h"

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& model) {
  throw usage_error("{} says nothing about preprocessing; give --pipeline FILE or --arch NAME",
                    model);
}

/// What a checkpoint of ours holds in its metadata.
Pipeline checkpoint_pipeline(const fs::path& file) {
  const auto opened = checkpoint::Checkpoint::open(file);
  const auto found = opened.metadata().find(models::kPipelineKey);
  if (found == opened.metadata().end() || !found->is_string()) refuse(file.string());
  const auto where = fmt::format("{}: {}", file.string(), models::kPipelineKey);
  return pipeline_from_json(parse_json(found->get_ref<const std::string&>(), where), where);
}

Pipeline configuration_pipeline(const fs::path& file) {
  const Json config = read_json(file);
  const bool timm = config.is_object() && config.contains("architecture");
  if (!timm) refuse(file.string());
  return pipeline_from_timm(config, file.string());
}

Pipeline folder_pipeline(const fs::path& folder) {
  if (const auto file = folder / "preprocessor_config.json"; fs::exists(file))
    return read_pipeline(file);
  if (const auto file = folder / "model.safetensors"; fs::exists(file))
    if (const auto opened = checkpoint::Checkpoint::open(file);
        opened.metadata().contains(models::kPipelineKey))
      return checkpoint_pipeline(file);
  if (const auto file = folder / "config.json"; fs::exists(file))
    return configuration_pipeline(file);
  refuse(folder.string());
}

Pipeline own_pipeline(const ModelArgs& model, const std::string& file) {
  if (!file.empty()) {
    if (!model.model.empty() || !model.arch.empty())
      throw usage_error("--pipeline and a model were given; one of them decides");
    return read_pipeline(file);
  }
  if (!model.arch.empty()) return models::describe(model.arch).pipeline;
  const auto bundled = default_model();
  if (model.model.empty() && !bundled)
    throw usage_error("give -m MODEL or --pipeline FILE (the bundled model is not installed)");
  const fs::path path = model.model.empty() ? *bundled : fs::path(model.model);
  if (fs::is_directory(path)) return folder_pipeline(path);
  if (names_plan(path.string())) {
    ModelArgs plan = model;
    plan.model = path.string();
    return open_plan(plan).pipeline;
  }
  if (!fs::exists(path)) return models::describe(model.model).pipeline;
  return path.extension() == ".json" ? configuration_pipeline(path) : checkpoint_pipeline(path);
}

}  // namespace

Pipeline find_pipeline(const ModelArgs& model, const std::string& file) {
  const auto pipeline = own_pipeline(model, file);
  if (model.size.empty()) return pipeline;
  const auto [height, width] = parse_size("--size", model.size);
  return for_size(pipeline, height, width);
}

}  // namespace saccade::cli
