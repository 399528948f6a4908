#pragma once
// A folder as the Hugging Face hub has it.

#include <filesystem>

#include "saccade/checkpoint/writer.h"
#include "saccade/models/describe.h"

namespace saccade::cli {

/// Writes config.json, model.safetensors and, where a ViT or DeiT image processor computes the
/// model's pipeline, preprocessor_config.json; where none does, a stale one is removed and a
/// warning says so (Saccade finds the pipeline in the weights' metadata). `state` has that hub's
/// names. The folder is made if it is not there. Throws Error: not_supported if config.json cannot
/// say what the configuration says, resources if the disk refuses.
void write_hub_folder(const std::filesystem::path& folder, const NamedTensors& state,
                      const models::Description& about, const checkpoint::Metadata& metadata);

}  // namespace saccade::cli
