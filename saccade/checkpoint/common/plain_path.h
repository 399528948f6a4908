#pragma once
// Paths that files name: inside their folder, or inside their archive.

#include <string_view>

namespace saccade::checkpoint {

/// A relative path of at most 1024 bytes with '/' between its parts: no root, no "..", nothing that
/// another system reads differently.
[[nodiscard]] bool is_plain_path(std::string_view name);

}  // namespace saccade::checkpoint
