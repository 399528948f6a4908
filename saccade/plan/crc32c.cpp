#include "saccade/plan/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace saccade::plan {

#if defined(__SSE4_2__)

// Part of the baseline (x86-64-v2): the instruction takes 8 bytes at once.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t sum) {
  uint64_t state = ~sum;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    state = _mm_crc32_u64(state, word);
  }
  auto rest = static_cast<uint32_t>(state);
  for (; i < bytes.size(); ++i) rest = _mm_crc32_u8(rest, std::to_integer<uint8_t>(bytes[i]));
  return ~rest;
}

#else

namespace {

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = value;
  }
  return table;
}

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t sum) {
  static constexpr auto kTable = make_table();
  uint32_t state = ~sum;
  for (const auto byte : bytes)
    state = kTable[(state ^ std::to_integer<uint32_t>(byte)) & 0xFFU] ^ (state >> 8);
  return ~state;
}

#endif

}  // namespace saccade::plan
