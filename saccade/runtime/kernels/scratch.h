#pragma once
// Hands out 64-byte aligned pieces of a scratch area; without an area it only counts bytes.

#include <cstddef>
#include <cstdint>
#include <span>

#include "saccade/base/check.h"

namespace saccade::runtime::kernels {

[[nodiscard]] constexpr int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

class ScratchCutter {
 public:
  ScratchCutter() = default;
  explicit ScratchCutter(std::span<std::byte> area) : area_(area), counting_(false) {
    SACCADE_CHECK(reinterpret_cast<uintptr_t>(area.data()) % kAlignment == 0,
                  "scratch is not aligned");
  }

  /// `count` elements of T, not initialised; null while counting.
  template <class T>
  T* take(int64_t count) {
    const int64_t at = used_;
    used_ += round_up(count * static_cast<int64_t>(sizeof(T)), kAlignment);
    if (counting_) return nullptr;
    SACCADE_CHECK(used_ <= static_cast<int64_t>(area_.size()), "scratch of {} bytes is too small",
                  area_.size());
    return reinterpret_cast<T*>(area_.data() + at);
  }

  [[nodiscard]] int64_t used() const { return used_; }

 private:
  static constexpr int64_t kAlignment = 64;
  std::span<std::byte> area_;
  bool counting_ = true;
  int64_t used_ = 0;
};

}  // namespace saccade::runtime::kernels
