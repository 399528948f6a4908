#pragma once
// Memory as plans and kernels want it: aligned to 64 bytes, in large pages where it is long.

#include <cstddef>
#include <memory>

namespace saccade::plan {

inline constexpr size_t kMemoryAlignment = 64;

/// Whether the system gives large pages to who asks for them (Linux: transparent huge pages).
/// Where weights lie in them, looking up their addresses costs next to nothing: 2 to 4 % of the
/// time of a ViT-B (AVX-512, one picture).
[[nodiscard]] bool has_large_pages();

/// Bytes of memory that this machine has; 0 if it does not say.
[[nodiscard]] size_t physical_memory();

/// `size` bytes (at least one), not initialised. Throws Error (resources).
[[nodiscard]] std::shared_ptr<std::byte> allocate_aligned(size_t size);

}  // namespace saccade::plan
