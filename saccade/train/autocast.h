#pragma once
// Mixed precision: bf16 only where the processor computes bf16.

#include <string>

#include <torch/torch.h>

namespace saccade::train {

/// True if this processor multiplies bf16 in hardware (AVX-512 BF16 or AMX).
[[nodiscard]] bool computes_bf16();

/// Whether a recipe's `amp` ("auto", "fp32", "bf16") means bf16 on this machine.
[[nodiscard]] bool use_bf16(const std::string& amp);

/// While it lives, eligible operators of this thread run in bf16 (torch's CPU autocast). Weights
/// are converted once in a scope.
class AutocastScope {
 public:
  explicit AutocastScope(bool enabled);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool outer_;
  at::ScalarType outer_dtype_;
};

}  // namespace saccade::train
