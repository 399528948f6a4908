#include "apps/cli/picture_size.h"

#include <array>
#include <charconv>

#include "saccade/base/error.h"
#include "saccade/base/pipeline.h"

namespace saccade::cli {

models::Pair parse_size(std::string_view option, std::string_view text) {
  models::Pair size{};
  const auto cross = text.find('x');
  const std::array parts{text.substr(0, cross), cross == text.npos ? text : text.substr(cross + 1)};
  for (size_t i = 0; i < 2; ++i) {
    const auto* end = parts[i].data() + parts[i].size();
    const auto [stop, error] = std::from_chars(parts[i].data(), end, size[i]);
    if (error != std::errc() || stop != end || size[i] < 1 || size[i] > kMaxPipelineSide)
      throw usage_error("{} takes a side or HEIGHTxWIDTH, not \"{}\"", option, text);
  }
  return size;
}

}  // namespace saccade::cli
