#pragma once
// The bytes of a strided view in row-major order, a piece at a time.

#include "saccade/base/file.h"
#include "saccade/base/tensor.h"

namespace saccade::checkpoint {

/// Gives `sink` the elements in row-major order without ever copying more than 64 KiB.
void stream_row_major(const TensorView& view, const ByteSink& sink);

}  // namespace saccade::checkpoint
