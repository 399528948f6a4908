#pragma once
// What a name, a file or a folder says about a model, without libtorch and without reading weights.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/base/pipeline.h"

namespace saccade::models {

/// A model as it is described: which system, how configured, which pictures it wants.
struct Description {
  std::string name;    ///< preset or file, for messages
  std::string system;  ///< "" if a bare checkpoint says nothing: its tensors have to be matched
  Json config;         ///< complete, in official names
  Pipeline pipeline;
  std::vector<std::string> labels;               ///< one per class, or empty
  std::optional<std::filesystem::path> weights;  ///< the checkpoint, if there is one
};

/// `what` is a preset or alias, a checkpoint file, a configuration file (.json), or a folder as
/// Hugging Face, timm or Saccade write it. `config` (a file) and `arch` (a preset name) describe a
/// bare checkpoint. Throws Error: usage for a name that is nothing of this (with "did you mean"),
/// bad_input for a malformed file, not_supported for a system that is not in the zoo.
[[nodiscard]] Description describe(const std::string& what, const std::string& config = "",
                                   const std::string& arch = "");

/// The same from the text of a configuration file: Hugging Face, timm, or Saccade's own
/// {"system", "config"}. `where` names it in errors.
[[nodiscard]] Description describe_config(const Json& json, const std::string& where);

/// The Hugging Face config.json of a model, labels included. Throws Error (not_supported), naming
/// the field, where that form cannot say what the configuration says; drop rates are for training
/// and may differ.
[[nodiscard]] Json huggingface_config(const Description& about);

/// Keys of the metadata of checkpoints that Saccade writes; values are JSON texts.
inline constexpr const char* kConfigKey = "saccade.config";
inline constexpr const char* kPipelineKey = "saccade.pipeline";
inline constexpr const char* kLabelsKey = "saccade.labels";

}  // namespace saccade::models
