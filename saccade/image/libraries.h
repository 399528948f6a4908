#pragma once
// What the picture code was built with, for `saccade doctor`.

#include <string>
#include <utility>
#include <vector>

namespace saccade::image {

/// Name and version of the codecs, and the instruction sets the vector code can use here.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> libraries();

}  // namespace saccade::image
