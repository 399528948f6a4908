#pragma once
// Numbers and texts as pickles spell them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace saccade::checkpoint::pickle {

/// The decimal digits of a little-endian number in two's complement of at most 256 bytes.
[[nodiscard]] std::string decimal(std::string_view little_endian);
/// True for an optional sign and 1 to 640 digits.
[[nodiscard]] bool is_decimal(std::string_view text);
/// A Python string literal with its quotes (opcode STRING); nothing if it is malformed.
[[nodiscard]] std::optional<std::string> unquote(std::string_view text);
/// Python's raw-unicode-escape (opcode UNICODE); nothing if it is malformed.
[[nodiscard]] std::optional<std::string> raw_unicode(std::string_view text);

}  // namespace saccade::checkpoint::pickle
