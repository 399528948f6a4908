#include "saccade/train/autocast.h"

#include <ATen/autocast_mode.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace saccade::train {

bool computes_bf16() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kAvx512Bf16 = 1u << 5;  // leaf 7.1 EAX
  constexpr unsigned kAmxBf16 = 1u << 22;    // leaf 7.0 EDX
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & kAvx512Bf16)) return true;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kAmxBf16);
#else
  return false;
#endif
}

bool use_bf16(const std::string& amp) {
  return amp == "bf16" || (amp == "auto" && computes_bf16());
}

AutocastScope::AutocastScope(bool enabled)
    : outer_(at::autocast::is_autocast_enabled(at::kCPU)),
      outer_dtype_(at::autocast::get_autocast_dtype(at::kCPU)) {
  at::autocast::increment_nesting();
  at::autocast::set_autocast_enabled(at::kCPU, enabled);
  if (enabled) at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
}

AutocastScope::~AutocastScope() {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, outer_);
  at::autocast::set_autocast_dtype(at::kCPU, outer_dtype_);
}

}  // namespace saccade::train
