#pragma once
// What the pages of the isotropic vision transformers share with libtorch.

#include <string>

#include "saccade/models/config.h"
#include "saccade/models/model.h"

namespace saccade::models {

/// `state` with its position embedding resized to `grid` by the procedure. The old grid is taken to
/// be square, as both references do. DeiT's procedure also drops heads of another class count.
[[nodiscard]] NamedTensors resize_positions(const NamedTensors& state, const Adaptation& how,
                                            Pair grid, int64_t prefix_tokens);

/// Model::misfit for the number of positions.
[[nodiscard]] std::string positions_misfit(const NamedTensors& state, int64_t prefix_tokens,
                                           int64_t num_patches);

}  // namespace saccade::models
