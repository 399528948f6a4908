#pragma once
// Compiled plans where `-m` expects a model.

#include "apps/cli/verb.h"

namespace saccade::cli {

/// True for a file that begins as a plan does, or a name that ends in ".plan".
[[nodiscard]] bool names_plan(const std::string& model);
/// Opens and verifies it. Throws Error: bad_input, not_supported (version), usage if the plan has
/// no pipeline or does another task.
[[nodiscard]] OpenedModel open_plan(const std::string& file, const plan::OpenOptions& options = {});

}  // namespace saccade::cli
