#include "saccade/plan/aligned.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "saccade/base/error.h"

namespace saccade::plan {
namespace {

constexpr size_t kLargePage = 2 << 20;

void ask_for_large_pages([[maybe_unused]] std::byte* memory, [[maybe_unused]] size_t size) {
#if defined(MADV_HUGEPAGE)
  ::madvise(memory, size, MADV_HUGEPAGE);  // a wish: small pages do as well
#endif
}

}  // namespace

bool has_large_pages() {
  std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  return std::getline(setting, modes) && modes.find("[never]") == std::string::npos;
}

size_t physical_memory() {
#if defined(_SC_PHYS_PAGES)
  const auto pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && size > 0) return static_cast<size_t>(pages) * static_cast<size_t>(size);
#endif
  return 0;
}

std::shared_ptr<std::byte> allocate_aligned(size_t size) {
  const size_t alignment = size >= kLargePage ? kLargePage : kMemoryAlignment;
  const size_t room = (size / alignment + 1) * alignment;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(alignment, room));
  if (!memory) throw resource_error("no memory for {} bytes", size);
  if (alignment == kLargePage) ask_for_large_pages(memory, room);
  return {memory, std::free};
}

}  // namespace saccade::plan
