#include "saccade/checkpoint/pickle/numbers.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "saccade/base/check.h"
#include "saccade/base/utf8.h"

namespace saccade::checkpoint::pickle {
namespace {

constexpr size_t kMaxDigits = 640;  // more than 256 bytes can hold

std::optional<uint32_t> hex(std::string_view text, size_t at, size_t count) {
  const auto digits = text.substr(std::min(at, text.size()), count);
  uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != count || error != std::errc{} || end != digits.data() + count)
    return std::nullopt;
  return value;
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// The character that the escape at `at` (behind the backslash) means; advances over it.
std::optional<char> escape(std::string_view text, size_t& at) {
  constexpr std::string_view kLetters = "\\'\"abfnrtv", kMeanings = "\\'\"\a\b\f\n\r\t\v";
  const char letter = text[at++];
  if (const auto index = kLetters.find(letter); index != kLetters.npos) return kMeanings[index];
  if (letter == 'x') {
    const auto value = hex(text, at, 2);
    at += 2;
    return value ? std::optional(static_cast<char>(*value)) : std::nullopt;
  }
  if (!is_octal(letter)) return std::nullopt;
  int value = letter - '0';
  for (int i = 0; i < 2 && at < text.size() && is_octal(text[at]); ++i)
    value = 8 * value + (text[at++] - '0');
  return static_cast<char>(value);
}

}  // namespace

std::string decimal(std::string_view little_endian) {
  SACCADE_CHECK(little_endian.size() <= 256, "a number of {} bytes", little_endian.size());
  const bool negative = !little_endian.empty() && (little_endian.back() & 0x80) != 0;
  std::vector<uint32_t> words((little_endian.size() + 3) / 4 + 1, negative ? 0xffffffff : 0);
  for (size_t i = 0; i < little_endian.size(); ++i) {
    auto& word = words[i / 4];
    word &= ~(0xffu << (8 * (i % 4)));
    word |= uint32_t{static_cast<uint8_t>(little_endian[i])} << (8 * (i % 4));
  }
  if (negative) {  // magnitude = ~value + 1
    uint64_t carry = 1;
    for (auto& word : words) {
      carry += static_cast<uint32_t>(~word);
      word = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  std::string digits;
  constexpr uint32_t kChunk = 1'000'000'000;
  while (std::ranges::any_of(words, [](uint32_t word) { return word != 0; })) {
    uint64_t rest = 0;
    for (size_t i = words.size(); i-- > 0;) {
      rest = rest << 32 | words[i];
      words[i] = static_cast<uint32_t>(rest / kChunk);
      rest %= kChunk;
    }
    auto chunk = fmt::format("{:09}", rest);
    std::ranges::reverse(chunk);
    digits += chunk;
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  if (digits.empty()) digits = "0";
  if (negative) digits += '-';
  std::ranges::reverse(digits);
  return digits;
}

bool is_decimal(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && text.size() <= kMaxDigits &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || (text[0] != '\'' && text[0] != '"') || text.back() != text[0])
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      out += text[at++];
      continue;
    }
    if (++at == text.size()) return std::nullopt;
    const auto c = escape(text, at);
    if (!c) return std::nullopt;
    out += *c;
  }
  return out;
}

std::optional<std::string> raw_unicode(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (c == '\\' && (next == 'u' || next == 'U')) {
      const size_t count = next == 'u' ? 4 : 8;
      const auto code = hex(text, at + 2, count);
      if (!code || *code > 0x10ffff) return std::nullopt;
      append_utf8(out, *code);
      at += 2 + count;
    } else {  // everything else is Latin-1
      append_utf8(out, static_cast<uint8_t>(c));
      ++at;
    }
  }
  return out;
}

}  // namespace saccade::checkpoint::pickle
