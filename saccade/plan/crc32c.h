#pragma once
// CRC-32C (Castagnoli), the sum of plan files: detects every change of up to 32 neighbouring bits.

#include <cstddef>
#include <cstdint>
#include <span>

namespace saccade::plan {

/// Continue with the sum of what came before.
[[nodiscard]] uint32_t crc32c(std::span<const std::byte> bytes, uint32_t sum = 0);

}  // namespace saccade::plan
