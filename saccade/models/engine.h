#pragma once
// An eager model behind the interface that tasks know.

#include <memory>

#include "saccade/base/engine.h"
#include "saccade/models/model.h"

namespace saccade::models {

/// Runs `model` in evaluation mode without gradients. The model must not be used elsewhere
/// meanwhile.
[[nodiscard]] std::shared_ptr<Engine> eager_engine(std::shared_ptr<Model> model);

}  // namespace saccade::models
