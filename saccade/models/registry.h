#pragma once
// Builds models by name: the one door to the zoo for the rooms that know libtorch.

#include <memory>
#include <string_view>

#include "saccade/base/json.h"
#include "saccade/models/model.h"

namespace saccade::models {

/// A model with uninitialised weights on `device` ("meta" for names and shapes alone), in training
/// mode. `config` in the reference's argument names; missing keys take the reference's defaults.
/// Throws Error as the system's `complete` does (catalogue.h).
[[nodiscard]] std::shared_ptr<Model> build(std::string_view system, const Json& config,
                                           torch::Device device = torch::kCPU);

}  // namespace saccade::models
