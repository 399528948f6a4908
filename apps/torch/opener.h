#pragma once
// What `-m` means in the program that has libtorch.

#include "apps/cli/verb.h"

namespace saccade::cli {

/// Opens a preset name, a checkpoint file or a folder as an eager model: a bare
/// file is matched against the catalogue unless --config or --arch says what it is.
/// Throws Error: usage (no such name, ambiguous file, no weights), bad_input, not_supported.
[[nodiscard]] OpenedModel open_eager_model(const ModelArgs& args);

}  // namespace saccade::cli
