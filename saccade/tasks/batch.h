#pragma once
// Pictures through an engine, a batch at a time.

#include <span>
#include <string_view>
#include <vector>

#include "saccade/base/engine.h"
#include "saccade/base/tensor.h"

namespace saccade::tasks {

/// [B, ...] from B tensors of one type and shape [...].
[[nodiscard]] HostTensor stack(std::span<const HostTensor> tensors);

/// The engine's "logits" [B, C] F32 for pictures [3, H, W] F32. Pictures of different sizes go
/// through the engine one after the other, neighbours of equal size together.
/// Throws Error (not_supported) if the model gives no logits: it is no classifier.
[[nodiscard]] HostTensor run_logits(Engine& engine, std::span<const HostTensor> pictures);

}  // namespace saccade::tasks
