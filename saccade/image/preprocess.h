#pragma once
// Applies a Pipeline (base/pipeline.h) to a picture.

#include "saccade/base/pipeline.h"
#include "saccade/base/tensor.h"
#include "saccade/image/image.h"

namespace saccade::image {

/// [3, H, W] F32 from an RGB picture. The picture must be decoded with the pipeline's
/// apply_exif_orientation.
[[nodiscard]] HostTensor preprocess(const Image& rgb, const Pipeline& pipeline);

/// The size [height, width] that `preprocess` gives for a picture of that size.
[[nodiscard]] std::pair<int64_t, int64_t> output_size(const Pipeline& pipeline, int64_t height,
                                                      int64_t width);

}  // namespace saccade::image
