#pragma once
// The frame of a plan file: header, section table, sections. Shared by reader and writer.

#include <array>
#include <cstdint>

#include "saccade/base/sha256.h"

namespace saccade::plan {

inline constexpr std::array<char, 8> kMagic = {'S', 'A', 'C', 'P', 'L', 'A', 'N', '\n'};
inline constexpr uint64_t kHeaderSize = 64;
inline constexpr uint64_t kRowSize = 32;
inline constexpr uint64_t kAlignment = 64;
/// Weights are summed in pieces of this size, so that all threads can check.
inline constexpr uint64_t kBlock = uint64_t{1} << 20;

/// In the order of the file; every plan has all of them.
enum class Section : uint32_t { info, tensors, graphs, sums, data };
inline constexpr uint32_t kSections = 5;

struct Header {
  std::array<char, 8> magic = kMagic;
  uint32_t version = 0;
  uint32_t sections = kSections;
  uint64_t file_size = 0;
  Digest digest{};  ///< SHA-256 of everything behind the header
  uint32_t reserved = 0;
  uint32_t sum = 0;  ///< CRC-32C of the 60 bytes before and of the section table
};
static_assert(sizeof(Header) == kHeaderSize);

struct SectionRow {
  uint32_t kind = 0;
  uint32_t sum = 0;  ///< CRC-32C; 0 for the data, which the section `sums` covers
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t reserved = 0;
};
static_assert(sizeof(SectionRow) == kRowSize);

[[nodiscard]] constexpr uint64_t aligned(uint64_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

/// What a tensor of the data section is.
enum class Role : uint8_t { constant, recorded_input, recorded_output };

}  // namespace saccade::plan
