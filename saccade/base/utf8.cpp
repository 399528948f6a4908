#include "saccade/base/utf8.h"

#include <algorithm>

#include <fmt/format.h>

namespace saccade {
namespace {

/// Bytes of the sequence that starts with `lead`, 0 if none does.
int sequence_length(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if ((lead & 0xf0) == 0xe0) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/// Excludes overlong forms, surrogates and code points above U+10FFFF (RFC 3629, section 4).
bool second_byte_fits(uint8_t lead, uint8_t second, bool allow_surrogates) {
  switch (lead) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return allow_surrogates || second < 0xa0;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second < 0x90;
    default: return true;
  }
}

/// C1 controls in UTF-8 are c2 80 ... c2 9f.
bool is_c1(std::string_view text, size_t at) {
  return static_cast<uint8_t>(text[at]) == 0xc2 && at + 1 < text.size() &&
         static_cast<uint8_t>(text[at + 1]) < 0xa0;
}

}  // namespace

size_t find_invalid_utf8(std::string_view text, bool allow_surrogates) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const int length = sequence_length(lead);
    if (length == 0 || text.size() - i < static_cast<size_t>(length)) return i;
    for (int k = 1; k < length; ++k)
      if ((static_cast<uint8_t>(text[i + k]) & 0xc0) != 0x80) return i;
    if (length > 1 && !second_byte_fits(lead, static_cast<uint8_t>(text[i + 1]), allow_surrogates))
      return i;
    i += static_cast<size_t>(length);
  }
  return std::string_view::npos;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto valid = std::min(find_invalid_utf8(text), text.size());
    for (size_t i = 0; i < std::max<size_t>(valid, 1); ++i) {
      const auto byte = static_cast<uint8_t>(text[i]);
      if (byte < 0x20 || byte == 0x7f || valid == 0 || is_c1(text, i)) {
        out += fmt::format("\\x{:02x}", is_c1(text, i) && valid > 0 ? uint8_t(text[++i]) : byte);
      } else {
        out += text[i];
      }
    }
    text.remove_prefix(std::max<size_t>(valid, 1));
  }
  return out;
}

void append_utf8(std::string& text, uint32_t code_point) {
  const auto byte = [&](uint32_t value) { text += static_cast<char>(value); };
  const auto tail = [&](int shift) { byte(0x80 | ((code_point >> shift) & 0x3f)); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xc0 | code_point >> 6), tail(0);
  } else if (code_point < 0x10000) {
    byte(0xe0 | code_point >> 12), tail(6), tail(0);
  } else {
    byte(0xf0 | code_point >> 18), tail(12), tail(6), tail(0);
  }
}

}  // namespace saccade
