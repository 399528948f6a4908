#pragma once
// What a plan holds, for `saccade inspect`.

#include "apps/cli/inspection.h"

namespace saccade::cli {

/// Opens and verifies the plan; with `hash` its SHA-256, too, and that of every tensor (of the
/// bytes as they lie in the file: for row-major ones what a checkpoint's tensor has). Weights
/// without a name have the path "constants.<number>". Throws Error as plan::open.
[[nodiscard]] Inspection inspect_plan(const std::filesystem::path& path,
                                      const InspectOptions& options);

}  // namespace saccade::cli
