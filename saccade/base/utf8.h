#pragma once
// UTF-8 from files that nobody vouches for.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace saccade {

/// Where the first byte stands that is no well-formed UTF-8 (overlong forms and code points above
/// U+10FFFF are none); npos if all of it is. Encoded surrogates (Python's "surrogatepass") are
/// refused unless `allow_surrogates`.
[[nodiscard]] size_t find_invalid_utf8(std::string_view text, bool allow_surrogates = false);

/// Appends one code point (at most U+10FFFF).
void append_utf8(std::string& text, uint32_t code_point);

/// For messages and tables: control characters (C0, DEL, C1) and bytes that are no UTF-8 as \xNN,
/// so that no name from a file commands the terminal.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace saccade
