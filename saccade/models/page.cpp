#include "saccade/models/page.h"

#include <charconv>

namespace saccade::models {

void check_image_size(const torch::Tensor& images, Pair img_size) {
  if (images.dim() != 4 || images.size(2) != img_size[0] || images.size(3) != img_size[1])
    throw Error(ErrorKind::bad_input,
                fmt::format("images: {} given, this model takes [batch, channels, {}, {}]",
                            to_string(images.sizes().vec()), img_size[0], img_size[1]));
}

int64_t block_layer_id(std::string_view parameter, int64_t depth) {
  if (parameter.starts_with("blocks.")) {
    int64_t index = 0;
    const auto digits = parameter.substr(7);
    std::from_chars(digits.data(), digits.data() + digits.size(), index);
    return index + 1;
  }
  if (parameter.starts_with("norm")) return depth;
  if (parameter.starts_with("head") || parameter.starts_with("fc_norm")) return depth + 1;
  return 0;
}

}  // namespace saccade::models
