#include "saccade/plan/aligned.h"

#include <cstdlib>

#include "saccade/base/error.h"

namespace saccade::plan {

std::shared_ptr<std::byte> allocate_aligned(size_t size) {
  const size_t room = (size / kMemoryAlignment + 1) * kMemoryAlignment;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kMemoryAlignment, room));
  if (!memory) throw resource_error("no memory for {} bytes", size);
  return {memory, std::free};
}

}  // namespace saccade::plan
