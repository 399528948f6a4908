#pragma once
// What a task asks a model for: named tensors in, named tensors out. Eager models and compiled
// plans implement it, so the task's code does not know which one answers.

#include "saccade/base/tensor.h"

namespace saccade {

class Engine {
 public:
  virtual ~Engine() = default;
  /// Batched inputs, for instance {"images": [B, 3, H, W] F32}; outputs such as {"logits": [B, C]}.
  /// Not thread-safe: one engine, one caller at a time.
  [[nodiscard]] virtual NamedTensors run(const NamedTensors& inputs) = 0;
};

}  // namespace saccade
