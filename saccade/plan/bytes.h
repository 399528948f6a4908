#pragma once
// Little-endian bytes in and out, for the sections of a plan file.

#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "saccade/base/error.h"

namespace saccade::plan {

static_assert(std::endian::native == std::endian::little, "plans are mapped as they are");

class ByteWriter {
 public:
  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) { put_bytes(std::as_bytes(std::span(&value, 1))); }
  /// Length in 4 bytes, then the text.
  void put_text(std::string_view text) {
    put(static_cast<uint32_t>(text.size()));
    put_bytes(std::as_bytes(std::span(text)));
  }
  void put_bytes(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Reads a copy of a section; positions in errors are those of the file.
class ByteReader {
 public:
  ByteReader(std::string_view file, uint64_t offset, std::vector<std::byte> bytes)
      : file_(file), offset_(offset), bytes_(std::move(bytes)) {}

  template <class T>
  requires std::is_arithmetic_v<T> T get() {
    need(sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string get_text() {
    const auto size = get<uint32_t>();
    need(size);
    std::string text(reinterpret_cast<const char*>(bytes_.data() + at_), size);
    at_ += size;
    return text;
  }
  /// A count of things that take at least `least` bytes each, so that it bounds what is reserved.
  uint32_t get_count(size_t least) {
    const auto count = get<uint32_t>();
    if (count > remaining() / least) throw fail("{} entries do not fit into the section", count);
    return count;
  }
  /// A number below `limit`.
  template <class T>
  T get_below(T limit, std::string_view what) {
    const T value = get<T>();
    if (value >= limit) throw fail("{} {} is unknown", what, value);
    return value;
  }
  void finish() const {
    if (remaining() != 0) throw fail("{} bytes too many", remaining());
  }
  [[nodiscard]] size_t remaining() const { return bytes_.size() - at_; }

  template <class... Args>
  [[nodiscard]] Error fail(fmt::format_string<Args...> text, Args&&... args) const {
    return input_error_at(file_, offset_ + at_, "{}",
                          fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  void need(size_t size) const {
    if (size > remaining()) throw fail("the section ends too early");
  }

  std::string file_;
  uint64_t offset_;
  std::vector<std::byte> bytes_;
  size_t at_ = 0;
};

}  // namespace saccade::plan
