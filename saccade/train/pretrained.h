#pragma once
// Weights that somebody trained before: to start from, or to be taught by.

#include <memory>
#include <string>

#include "saccade/base/pipeline.h"
#include "saccade/models/model.h"

namespace saccade::train {

/// Loads the checkpoint `what` (a file or folder, models/open.h) of the same system into `model`.
/// Positions and tables are fitted as the reference of the system does (ViT: timm); a head of
/// another class count keeps its initial weights. The rest must fit. Returns the names that kept
/// their initial weights.
/// Throws Error (usage, bad_input) naming the file.
std::vector<std::string> load_pretrained(models::Model& model, const std::string& system,
                                         const std::string& what);

/// A model that answers for the student's pictures: the same number of classes, the same
/// normalisation. In evaluation mode, without gradients. Throws Error (usage) if it does not fit.
[[nodiscard]] std::shared_ptr<models::Model> open_teacher(const std::string& what,
                                                          const Pipeline& pipeline,
                                                          int64_t num_classes);

}  // namespace saccade::train
