#include "apps/torch/hub_folder.h"

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/base/log.h"

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;

std::string text_of(const Json& json) { return json.dump(2) + "\n"; }

}  // namespace

void write_hub_folder(const fs::path& folder, const NamedTensors& state,
                      const models::Description& about, const checkpoint::Metadata& metadata) {
  const auto config = models::huggingface_config(about);
  const auto processor = pipeline_to_huggingface(about.pipeline);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    throw resource_error("{}: the folder cannot be made: {}", folder.string(), failed.message());
  checkpoint::write_safetensors(folder / "model.safetensors", state, metadata);
  write_file_atomically(folder / "config.json", text_of(config));
  const auto file = folder / "preprocessor_config.json";
  if (processor) return write_file_atomically(file, text_of(*processor));
  fs::remove(file, failed);
  log_warning(
      "{}: no preprocessor_config.json: ViTImageProcessor and DeiTImageProcessor squash pictures, "
      "this model's pipeline does not; Saccade finds it in model.safetensors",
      folder.string());
}

}  // namespace saccade::cli
