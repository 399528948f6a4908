#pragma once
// Memory as plans and kernels want it: aligned to 64 bytes.

#include <cstddef>
#include <memory>

namespace saccade::plan {

inline constexpr size_t kMemoryAlignment = 64;

/// `size` bytes (at least one), not initialised. Throws Error (resources).
[[nodiscard]] std::shared_ptr<std::byte> allocate_aligned(size_t size);

}  // namespace saccade::plan
