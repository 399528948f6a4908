#pragma once
// JSON from files that nobody vouches for: bounded depth, no duplicate keys, positions in errors.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace saccade {

using Json = nlohmann::ordered_json;

/// One JSON value and nothing behind it. Refuses depth above `max_depth` and duplicate keys.
/// `file` names the source in errors. Throws Error (bad_input) with the byte offset.
[[nodiscard]] Json parse_json(std::string_view text, std::string_view file, int max_depth = 64);
/// The same from a file of at most 64 MiB.
[[nodiscard]] Json read_json(const std::filesystem::path& path);

/// Typed access with the key in the error: `where` is the file (or the part of it) in messages.
[[nodiscard]] int64_t json_int(const Json& value, std::string_view key, std::string_view where);
[[nodiscard]] double json_number(const Json& value, std::string_view key, std::string_view where);
[[nodiscard]] bool json_bool(const Json& value, std::string_view key, std::string_view where);
[[nodiscard]] std::string json_string(const Json& value, std::string_view key,
                                      std::string_view where);

}  // namespace saccade
