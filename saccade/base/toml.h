#pragma once
// TOML (recipes, configuration files) as Json, so that one set of typed readers serves both.

#include <filesystem>
#include <string_view>

#include "saccade/base/json.h"

namespace saccade {

/// Tables become objects with their keys sorted, dates and times strings.
/// Throws Error (bad_input) with line and column.
[[nodiscard]] Json parse_toml(std::string_view text, std::string_view file);
/// The same from a file of at most 4 MiB.
[[nodiscard]] Json read_toml(const std::filesystem::path& path);

}  // namespace saccade
