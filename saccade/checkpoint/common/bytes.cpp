#include "saccade/checkpoint/common/bytes.h"

#include <algorithm>

namespace saccade::checkpoint {

void swap_bytes(std::span<std::byte> bytes, size_t element) {
  for (size_t at = 0; at + element <= bytes.size(); at += element)
    std::ranges::reverse(bytes.subspan(at, element));
}

}  // namespace saccade::checkpoint
