#include "apps/torch/verbs.h"

namespace saccade::cli {

std::vector<Verb> torch_verbs() { return {}; }

}  // namespace saccade::cli
