#include "apps/torch/verbs.h"

namespace saccade::cli {

std::vector<Verb> torch_verbs() {
  return {convert_verb(), trace_verb(), train_verb(), verify_verb()};
}

}  // namespace saccade::cli
