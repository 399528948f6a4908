#pragma once
// The zoo without libtorch: which systems and presets exist, and what each configuration means.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/base/pipeline.h"
#include "saccade/checkpoint/dialect.h"

namespace saccade::models {

/// One row of `saccade profile`: a module, its parameters and the multiply-adds of one forward
/// pass.
struct ModuleCost {
  std::string path;     ///< "blocks.3.attn"
  int64_t params = 0;   ///< its own and those below it
  int64_t macs = 0;     ///< multiply-adds for batch 1
  std::string formula;  ///< closed form of the attention cost where there is one, else ""
};

/// A published variant: an official name, or an alias (a timm tag, a hub name) of one with the
/// pipeline, class count and eps that were published under it.
struct Preset {
  std::string name;                  ///< "vit_base_patch16_224"
  std::string system;                ///< "vit"
  std::vector<std::string> aliases;  ///< names in System::aliases that are this architecture
  Json config;                       ///< complete, in the reference's argument names
  Pipeline pipeline;                 ///< the reference's evaluation pipeline
};

/// What is known of a system without libtorch; one sorted row each in catalogue.cpp.
struct System {
  std::string name;             ///< "vit"
  std::string summary;          ///< one line
  std::vector<Preset> presets;  ///< official names
  std::vector<Preset> aliases;  ///< every other published name
  /// Marks in `config` which of the system's classes a golden case or a Hugging Face
  /// "architectures" entry means ("DistilledVisionTransformer"); unknown names change nothing.
  std::function<void(std::string_view model_class, Json& config)> select_class =
      [](std::string_view, Json&) {};
  /// The complete, validated configuration: missing keys take the reference's defaults. Throws
  /// Error: bad_input for unknown keys and impossible values, not_supported for known arguments
  /// away from their default that Saccade does not have.
  std::function<Json(const Json& config, std::string_view where)> complete;
  /// The same from a Hugging Face config.json; empty for a system that is not on that hub.
  std::function<Json(const Json& config, std::string_view where)> from_huggingface;
  /// A Hugging Face config.json without labels, as far as that can say what `config` says
  /// (huggingface_config in describe.h compares); empty for a system that is not on that hub.
  std::function<Json(const Json& config)> to_huggingface;
  /// `model_type` of Hugging Face configurations that this system answers to, "" for none.
  std::string huggingface_type;
  /// The key that official releases wrap their state dict in ("model"), "" for bare files.
  std::string release_wrapper;
  /// Fills in what a configuration leaves to the naming convention of its checkpoint. May be empty.
  std::function<void(std::string_view dialect, Json& config)> adopt_dialect;
  /// Fills in what `config` inherits when its weights come from a model of the configuration
  /// `source` (a picture or window of another size). May be empty.
  std::function<void(const Json& source, Json& config)> inherit;
  /// The rename tables, official names on the right. An entry "official" (evidence: none) lists the
  /// derived tensors of official files.
  std::function<std::vector<checkpoint::Dialect>(const Json& config)> dialects;
  /// Modules in the order data meets them, the whole model first (path "").
  std::function<std::vector<ModuleCost>(const Json& config)> costs;
};

/// timm's evaluation pipeline for square pictures; `mean` and `std` of all three channels, or
/// ImageNet's statistics where `std` is 0.
[[nodiscard]] Pipeline timm_pipeline(int64_t img_size, double crop_pct, double mean, double std);

[[nodiscard]] std::span<const System> systems();
/// Throws Error (usage) with "did you mean" if there is no such system.
[[nodiscard]] const System& find_system(std::string_view name);
/// By official name or alias ("timm/" in front of a tag is accepted); null if there is none.
[[nodiscard]] const Preset* find_preset(std::string_view name);
/// Every name `find_preset` knows, sorted (for messages and completion).
[[nodiscard]] std::vector<std::string> preset_names();

}  // namespace saccade::models
