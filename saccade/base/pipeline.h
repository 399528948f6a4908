#pragma once
// Preprocessing as data: how a decoded picture becomes the tensor that a model sees. Read from timm
// and Hugging Face files or a preset; travels inside the checkpoints that Saccade writes.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "saccade/base/json.h"

namespace saccade {

enum class Interpolation { nearest, box, bilinear, hamming, bicubic, lanczos };

/// How the picture is brought to size before the crop.
enum class ResizeRule {
  none,          ///< left as it is
  shorter_side,  ///< shorter side = resize_height, the longer one truncated (torchvision
                 ///< Resize(int))
  keep_ratio,    ///< covers resize_height x resize_width (timm ResizeKeepRatio, longest = 0)
  exact,         ///< resize_height x resize_width, whatever the shape was (squash)
};

/// Pads or crops around the centre after resizing.
enum class CropRule {
  none,
  centre,         ///< torchvision CenterCrop: pads with zeros where the picture is smaller
  centre_or_pad,  ///< timm CenterCropOrPad (crop_mode "border"): pads with the fill value
};

struct Pipeline {
  ResizeRule resize = ResizeRule::shorter_side;
  int64_t resize_height = 256;
  int64_t resize_width = 256;
  Interpolation interpolation = Interpolation::bicubic;
  CropRule crop = CropRule::centre;
  int64_t crop_height = 224;
  int64_t crop_width = 224;
  double rescale = 1.0 / 255.0;
  /// True: Hugging Face (u8 * rescale in double, then float); false: u8 / 255 in float (ToTensor).
  bool rescale_in_double = false;
  bool do_rescale = true;
  bool do_normalize = true;
  std::array<double, 3> mean{0.485, 0.456, 0.406};
  std::array<double, 3> std{0.229, 0.224, 0.225};
  std::array<uint8_t, 3> fill{0, 0, 0};
  bool apply_exif_orientation = false;

  bool operator==(const Pipeline&) const = default;
};

[[nodiscard]] std::string_view name(Interpolation interpolation);

/// Saccade's own form; `from_json` accepts exactly what `to_json` writes (missing keys: defaults,
/// unknown keys: Error naming them).
[[nodiscard]] Json to_json(const Pipeline& pipeline);
[[nodiscard]] Pipeline pipeline_from_json(const Json& json, std::string_view where);

/// timm's evaluation rule: `config` is a pretrained_cfg or a bare data dictionary (input_size,
/// interpolation, crop_pct, crop_mode, mean, std). Source: timm/data/transforms_factory.py.
[[nodiscard]] Pipeline pipeline_from_timm(const Json& config, std::string_view where);
/// A Hugging Face preprocessor_config.json of a ViT or DeiT image processor (slow variant).
[[nodiscard]] Pipeline pipeline_from_huggingface(const Json& config, std::string_view where);
/// Whichever of the three forms the file has.
[[nodiscard]] Pipeline read_pipeline(const std::filesystem::path& path);

}  // namespace saccade
