#pragma once
// The verbs that need libtorch, one per file of this folder.

#include <vector>

#include "apps/cli/verb.h"

namespace saccade::cli {

/// One sorted line each in verbs.cpp; the table of apps/cli/verbs.cpp names them for `saccade`.
[[nodiscard]] std::vector<Verb> torch_verbs();

[[nodiscard]] Verb convert_verb();
[[nodiscard]] Verb trace_verb();
[[nodiscard]] Verb train_verb();
[[nodiscard]] Verb verify_verb();

}  // namespace saccade::cli
