#pragma once
// Sizes of pictures on the command line.

#include <string_view>

#include "saccade/models/config.h"

namespace saccade::cli {

/// "224" or "224x320" (height x width). Throws Error (usage) naming the option.
[[nodiscard]] models::Pair parse_size(std::string_view option, std::string_view text);

}  // namespace saccade::cli
