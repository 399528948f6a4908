#include "apps/torch/verbs.h"

namespace saccade::cli {

std::vector<Verb> torch_verbs() { return {train_verb()}; }

}  // namespace saccade::cli
