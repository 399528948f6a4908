#pragma once
// Compiled plans where `-m` expects a model.

#include "apps/cli/verb.h"
#include "saccade/runtime/model.h"

namespace saccade::cli {

/// True for a file that begins as a plan does, or a name that ends in ".plan".
[[nodiscard]] bool names_plan(const std::string& model);
/// Opens and verifies `args.model`, with the pipeline for `args.size`. Throws Error: bad_input,
/// not_supported (version), usage if the plan has no pipeline or no such size.
[[nodiscard]] OpenedModel open_plan(const ModelArgs& args);
/// Which of the plan's sizes is meant; the first one where `text` is empty.
[[nodiscard]] size_t size_of(const runtime::Model& model, const std::string& text);

}  // namespace saccade::cli
