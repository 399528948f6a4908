#pragma once
// Writes tars for tests, good and bad ones.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace saccade::data {

class TarMaker {
 public:
  /// A header without data behind it; `size` is a raw field of 12 bytes or fewer.
  static std::string header(std::string_view name, std::string_view size, char type,
                            std::string_view magic = std::string_view("ustar\00000", 8),
                            std::string_view prefix = {}) {
    std::string block(512, '\0');
    const auto put = [&](size_t at, std::string_view text) {
      std::ranges::copy(text, block.begin() + static_cast<std::ptrdiff_t>(at));
    };
    put(0, name.substr(0, 100));
    put(100, "0000644");
    put(124, size);
    put(148, "        ");
    block[156] = type;
    put(257, magic);
    put(345, prefix);
    uint64_t sum = 0;
    for (const unsigned char c : block) sum += c;
    put(148, fmt::format("{:06o}", sum));
    block[154] = '\0';
    return block;
  }

  static std::string octal(size_t size) { return fmt::format("{:011o}", size); }

  static std::string padded(std::string_view data) {
    std::string text(data);
    text.resize((data.size() + 511) / 512 * 512, '\0');
    return text;
  }

  /// One pax record with its own length in front.
  static std::string record(std::string_view key, std::string_view value) {
    const size_t body = key.size() + value.size() + 3;
    size_t length = body + 1;
    while (fmt::formatted_size("{}", length) + body != length) ++length;
    return fmt::format("{} {}={}\n", length, key, value);
  }

  TarMaker& add(std::string_view name, std::string_view data, char type = '0') {
    bytes_ += header(name, octal(data.size()), type) + padded(data);
    return *this;
  }
  TarMaker& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  /// The archive with its end mark.
  [[nodiscard]] std::string done() const { return bytes_ + std::string(1024, '\0'); }
  [[nodiscard]] const std::string& unfinished() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace saccade::data
