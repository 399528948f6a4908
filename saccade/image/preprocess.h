#pragma once
// Applies a Pipeline (base/pipeline.h) to a picture.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "saccade/base/pipeline.h"
#include "saccade/base/tensor.h"
#include "saccade/image/decode.h"
#include "saccade/image/image.h"

namespace saccade::image {

/// [3, H, W] F32 from an RGB picture. The picture must be decoded with the pipeline's
/// apply_exif_orientation. Throws Error (bad_input) where a rule leaves no pixel or too many.
[[nodiscard]] HostTensor preprocess(const Image& rgb, const Pipeline& pipeline);

/// The picture that `preprocess` turns into numbers: resized, cropped and padded.
[[nodiscard]] Image fit_picture(const Image& rgb, const Pipeline& pipeline);

/// Sizes on the way, [height, width].
struct SizePath {
  std::pair<int64_t, int64_t> resized;
  std::pair<int64_t, int64_t> output;
  int64_t top = 0;  ///< of the output in the resized picture; negative: padded
  int64_t left = 0;
};
/// `file` names the picture in errors.
[[nodiscard]] SizePath size_path(const Pipeline& pipeline, int64_t height, int64_t width,
                                 std::string_view file);

struct Preprocessed {
  HostTensor tensor;   ///< [3, H, W] F32
  int64_t height = 0;  ///< of the decoded picture, turned if the pipeline says so
  int64_t width = 0;
  SizePath path;
};

/// Decodes and preprocesses in one go, row by row where the pipeline allows it, so that the full
/// picture need not be kept: the same numbers as decode() and preprocess(), sooner.
[[nodiscard]] Preprocessed decode_and_preprocess(std::span<const std::byte> bytes,
                                                 const Pipeline& pipeline, int64_t max_pixels,
                                                 std::string_view file);
/// [3, H, W] F32 from a file.
[[nodiscard]] HostTensor read_and_preprocess(const std::filesystem::path& path,
                                             const Pipeline& pipeline,
                                             int64_t max_pixels = DecodeOptions{}.max_pixels);

/// The size [height, width] that `preprocess` gives for a picture of that size.
[[nodiscard]] std::pair<int64_t, int64_t> output_size(const Pipeline& pipeline, int64_t height,
                                                      int64_t width);

/// torchvision's Resize(size, max_size): [height, width]; max_size 0: none.
[[nodiscard]] std::pair<int64_t, int64_t> shorter_side_size(int64_t height, int64_t width,
                                                            int64_t size, int64_t max_size = 0);

}  // namespace saccade::image
