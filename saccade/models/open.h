#pragma once
// From a name, a file or a folder to a model that is ready to run.

#include <memory>
#include <string>

#include "saccade/models/config.h"
#include "saccade/models/describe.h"
#include "saccade/models/model.h"

namespace saccade::models {

struct OpenOptions {
  std::string config = {};  ///< a configuration file that describes a bare checkpoint
  std::string arch = {};    ///< or the preset that it is
  /// False: a description without weights gives a model with random ones.
  bool needs_weights = true;
};

struct Opened {
  Description about;
  std::shared_ptr<Model> model;  ///< in evaluation mode
  std::string dialect;  ///< naming convention that the checkpoint had, "official" or its name
  bool random_weights = false;
};

/// As describe(), then builds the model and loads its weights strictly. A bare checkpoint is
/// matched by names, shapes and wrapping against every preset; if presets that differ in
/// architecture or pipeline fit, the Error (usage) lists them.
[[nodiscard]] Opened open(const std::string& what, const OpenOptions& options = {});

/// Builds the model anew for the configuration that `opened.about` has by now, with the weights
/// fitted to it (Model::adapt; "" is the system's default procedure).
void refit(Opened& opened, const std::string& procedure = "");

/// The model for pictures of another size [height, width]: fitted weights, the configuration and
/// pipeline of that size. Throws Error (not_supported) naming the size where the system cannot.
[[nodiscard]] Opened resized(const Opened& opened, Pair img_size);

}  // namespace saccade::models
