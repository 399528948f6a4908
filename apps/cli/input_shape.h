#pragma once
// The picture that a model takes.

#include "saccade/base/json.h"
#include "saccade/base/pipeline.h"

namespace saccade::cli {

/// [channels, height, width]: the configuration's img_size and in_chans, else what the pipeline
/// gives (systems that take any size).
[[nodiscard]] Json input_shape(const Json& config, const Pipeline& pipeline);

/// "3x224x224"
[[nodiscard]] std::string input_text(const Json& input);

}  // namespace saccade::cli
