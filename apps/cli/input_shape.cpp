#include "apps/cli/input_shape.h"

#include <fmt/format.h>

namespace saccade::cli {

Json input_shape(const Json& config, const Pipeline& pipeline) {
  const Json size =
      config.value("img_size", Json::array({pipeline.crop_height, pipeline.crop_width}));
  const Json height = size.is_array() ? size.at(0) : size;
  const Json width = size.is_array() ? size.at(1) : size;
  return Json::array({config.value("in_chans", Json(3)), height, width});
}

std::string input_text(const Json& input) {
  return fmt::format("{}x{}x{}", input.at(0).get<int64_t>(), input.at(1).get<int64_t>(),
                     input.at(2).get<int64_t>());
}

}  // namespace saccade::cli
