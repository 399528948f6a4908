#include "saccade/checkpoint/common/plain_path.h"

#include <algorithm>

namespace saccade::checkpoint {

bool is_plain_path(std::string_view name) {
  const auto odd = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\\'; };
  if (name.empty() || name.size() > 1024 || std::ranges::any_of(name, odd)) return false;
  if (name.size() > 1 && name[1] == ':') return false;
  for (size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace saccade::checkpoint
