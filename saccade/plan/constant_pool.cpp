#include "saccade/plan/constant_pool.h"

#include <algorithm>

#include "saccade/base/random.h"

namespace saccade::plan {
namespace {

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Large constants are known by their beginning and size.
uint64_t key_of(const Constant& constant) {
  constexpr size_t kLooked = 4096;
  const auto start = constant.bytes.first(std::min(constant.bytes.size(), kLooked));
  return mix64(fnv1a(text(start)) ^ fnv1a(constant.name) ^ constant.bytes.size());
}

bool same(const Constant& a, const Constant& b) {
  return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape && a.layout == b.layout &&
         (a.bytes.data() == b.bytes.data() || text(a.bytes) == text(b.bytes));
}

}  // namespace

int32_t ConstantPool::add(const Constant& constant) {
  const auto key = key_of(constant);
  for (auto [it, end] = places_.equal_range(key); it != end; ++it)
    if (same(constants_[static_cast<size_t>(it->second)], constant)) return it->second;
  const auto number = static_cast<int32_t>(constants_.size());
  constants_.push_back(constant);
  places_.emplace(key, number);
  return number;
}

}  // namespace saccade::plan
