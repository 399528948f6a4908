#include "apps/torch/libtorch.h"

#include <string_view>

#include <torch/torch.h>
#include <torch/version.h>

namespace saccade::cli {

std::string libtorch_version() {
  return std::string("libtorch ") + TORCH_VERSION +
         (torch::cuda::is_available() ? ", CUDA" : ", CPU");
}

std::optional<Error> explain_libtorch(const std::exception& exception) {
  const auto* error = dynamic_cast<const c10::Error*>(&exception);
  if (error == nullptr) return std::nullopt;
  const std::string text = error->what_without_backtrace();
  // The CPU allocator has no exception type of its own.
  const bool memory = dynamic_cast<const c10::OutOfMemoryError*>(error) != nullptr ||
                      text.find("not enough memory") != text.npos ||
                      text.find("can't allocate memory") != text.npos;
  if (memory)
    return resource_error("out of memory: {}; use a smaller model, picture or batch",
                          std::string_view(text).substr(0, text.find('\n')));
  return std::nullopt;
}

}  // namespace saccade::cli
