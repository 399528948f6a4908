#pragma once
// Where preprocessing comes from: a file of its own, or what a model carries.

#include <string>

#include "apps/cli/verb.h"

namespace saccade::cli {

/// The pipeline of `file` (preprocessor_config.json, timm config.json or data dictionary, our own
/// form) or, if that is empty, of the model: a preset, a folder with preprocessor_config.json or a
/// timm config.json, a checkpoint that Saccade wrote; empty: the bundled default model.
/// Throws Error: usage if both are given, or if the model says nothing of pictures.
[[nodiscard]] Pipeline find_pipeline(const ModelArgs& model, const std::string& file);

}  // namespace saccade::cli
