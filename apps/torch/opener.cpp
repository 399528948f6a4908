#include "apps/torch/opener.h"

namespace saccade::cli {

OpenedModel open_eager_model(const ModelArgs& args) {
  throw unsupported_error("{}: models cannot be opened yet", args.model);
}

}  // namespace saccade::cli
