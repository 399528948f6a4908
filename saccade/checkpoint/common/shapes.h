#pragma once
// Shapes out of files.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "saccade/base/tensor.h"

namespace saccade::checkpoint {

/// More dimensions than any array library takes.
constexpr size_t kMaxRank = 64;

/// Bytes of a contiguous tensor; nothing if a size is negative, if the number of bits overflows 63
/// bits (sizes of zero count as one here, so that a zero hides no overflow), or if the elements do
/// not fill whole bytes.
[[nodiscard]] std::optional<int64_t> byte_size(DType dtype, std::span<const int64_t> shape);

/// Column-major strides in elements.
[[nodiscard]] Shape fortran_strides(std::span<const int64_t> shape);

}  // namespace saccade::checkpoint
