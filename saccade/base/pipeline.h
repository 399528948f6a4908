#pragma once
// Preprocessing as data: how a decoded picture becomes the tensor that a model sees. Read from timm
// and Hugging Face files or a preset; travels inside the checkpoints that Saccade writes.

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "saccade/base/json.h"

namespace saccade {

enum class Interpolation { nearest, box, bilinear, hamming, bicubic, lanczos };

/// How the picture is brought to size before the crop.
enum class ResizeRule {
  none,          ///< left as it is
  shorter_side,  ///< shorter side = resize_height (= resize_width), the longer one truncated
                 ///< (torchvision Resize(int))
  cover,         ///< smallest that covers resize_height x resize_width (timm ResizeKeepRatio)
  fit,           ///< largest that fits into it (timm ResizeKeepRatio, longest = 1)
  exact,         ///< resize_height x resize_width, whatever the shape was (squash)
};

/// Pads or crops around the centre after resizing. What the picture does not cover gets `fill`.
enum class CropRule {
  none,
  centre,        ///< torchvision CenterCrop and timm CenterCropOrPad: a margin of half a pixel is
                 ///< rounded to even
  centre_floor,  ///< Hugging Face center_crop: rounded towards the top left
};

struct Pipeline {
  ResizeRule resize = ResizeRule::shorter_side;
  int64_t resize_height = 256;
  int64_t resize_width = 256;
  Interpolation interpolation = Interpolation::bicubic;
  CropRule crop = CropRule::centre;
  int64_t crop_height = 224;
  int64_t crop_width = 224;
  /// Hugging Face: u8 * rescale in double, then float. False: u8 / 255 in float (ToTensor), and
  /// rescale is 1 / 255.
  bool rescale_in_double = false;
  double rescale = 1.0 / 255.0;
  bool do_rescale = true;
  bool do_normalize = true;
  std::array<double, 3> mean{0.485, 0.456, 0.406};
  std::array<double, 3> std{0.229, 0.224, 0.225};
  std::array<uint8_t, 3> fill{0, 0, 0};
  bool apply_exif_orientation = false;

  bool operator==(const Pipeline&) const = default;
};

[[nodiscard]] std::string_view name(Interpolation interpolation);

/// Largest side and largest area that a pipeline may ask for.
inline constexpr int64_t kMaxPipelineSide = 65'536;
inline constexpr int64_t kMaxPipelinePixels = 64'000'000;

/// Saccade's own form; `from_json` accepts exactly what `to_json` writes (missing keys: defaults,
/// unknown keys: Error naming them).
[[nodiscard]] Json to_json(const Pipeline& pipeline);
[[nodiscard]] Pipeline pipeline_from_json(const Json& json, std::string_view where);

/// timm's evaluation rule: `config` is a hub config.json, a pretrained_cfg or a bare data
/// dictionary (input_size, interpolation, crop_pct, crop_mode, mean, std); other keys are ignored.
/// Source: timm/data/config.py and timm/data/transforms_factory.py.
[[nodiscard]] Pipeline pipeline_from_timm(const Json& config, std::string_view where);
/// A Hugging Face preprocessor_config.json of a ViT or DeiT image processor, computed as the slow
/// (Pillow) variant does. Other processors: Error, not_supported.
[[nodiscard]] Pipeline pipeline_from_huggingface(const Json& config, std::string_view where);
/// The preprocessor_config.json of a ViT or DeiT image processor that computes the same from a
/// decoded picture; nothing if neither of the two does.
[[nodiscard]] std::optional<Json> pipeline_to_huggingface(const Pipeline& pipeline);
/// The pipeline for pictures of another size: the crop becomes height x width, the resize as much
/// larger as the share that is cropped says (timm's crop_pct, floor(size / crop_pct)).
[[nodiscard]] Pipeline for_size(const Pipeline& pipeline, int64_t height, int64_t width);
/// Whichever of the three forms the object has; Error (bad_input) for anything else.
[[nodiscard]] Pipeline pipeline_from_any(const Json& config, std::string_view where);
[[nodiscard]] Pipeline read_pipeline(const std::filesystem::path& path);

}  // namespace saccade
