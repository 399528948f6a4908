#pragma once
// Little-endian numbers out of bytes, bounds checked by the caller's length test.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace saccade::checkpoint {

static_assert(std::endian::native == std::endian::little, "files are read as they lie in memory");

/// The little-endian number at `offset`; the caller has checked that it lies inside.
template <class T>
[[nodiscard]] T load(std::span<const std::byte> bytes, uint64_t offset) {
  T value{};
  std::memcpy(&value, bytes.subspan(offset, sizeof(T)).data(), sizeof(T));
  return value;
}

/// True if [offset, offset + size) lies inside `total` bytes.
[[nodiscard]] constexpr bool inside(uint64_t offset, uint64_t size, uint64_t total) {
  return offset <= total && size <= total - offset;
}

[[nodiscard]] inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Turns elements of `element` bytes round, in place.
void swap_bytes(std::span<std::byte> bytes, size_t element);

}  // namespace saccade::checkpoint
