#include "saccade/train/augment/transform.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/error.h"
#include "saccade/image/preprocess.h"
#include "saccade/image/resize.h"
#include "saccade/image/transform.h"

namespace saccade::train {

TrainCrop parse_train_crop(const std::string& name) {
  if (name == "none") return TrainCrop::none;
  if (name == "pad") return TrainCrop::pad;
  if (name == "resized") return TrainCrop::resized;
  throw usage_error("augment.crop '{}': expected none, pad or resized", name);
}

TrainTransform::TrainTransform(const TransformConfig& config, const Pipeline& pipeline)
    : config_(config), pipeline_(pipeline) {
  for (size_t c = 0; c < 3; ++c)
    for (size_t v = 0; v < 256; ++v) {
      double value = static_cast<double>(v);
      if (pipeline.do_rescale) value *= pipeline.rescale;
      if (pipeline.do_normalize) value = (value - pipeline.mean[c]) / pipeline.std[c];
      table_[c][v] = static_cast<float>(value);
    }
}

std::vector<float> TrainTransform::prepared(const image::Image& image) const {
  if (config_.crop == TrainCrop::none) {
    const auto tensor = image::preprocess(image, pipeline_);
    const auto floats = tensor.as<float>();
    return {floats.begin(), floats.end()};
  }
  const auto pixels = static_cast<size_t>(image.width * image.height);
  std::vector<float> out(3 * pixels);
  for (size_t c = 0; c < 3; ++c) {
    const auto& table = table_[c];
    const uint8_t* in = image.pixels.data() + c;
    float* plane = out.data() + c * pixels;
    for (size_t i = 0; i < pixels; ++i) plane[i] = table[in[3 * i]];
  }
  return out;
}

image::Image TrainTransform::cropped(image::Image image, Random& random,
                                     const std::string& name) const {
  const int64_t height = pipeline_.crop_height, width = pipeline_.crop_width;
  if (config_.crop == TrainCrop::pad) {
    if (image.height != height || image.width != width)
      throw input_error(name,
                        "the picture is {}x{}, but crop = \"pad\" needs pictures of the pipeline's "
                        "size {}x{}: use another crop",
                        image.width, image.height, width, height);
    const auto range = static_cast<uint64_t>(2 * config_.padding + 1);
    const auto top = static_cast<int64_t>(random.below(range)) - config_.padding;
    const auto left = static_cast<int64_t>(random.below(range)) - config_.padding;
    const auto& fill = pipeline_.fill;
    return image::crop(image, top, left, height, width, {fill[0], fill[1], fill[2], 0});
  }
  if (config_.crop == TrainCrop::resized) {
    RandomDraws draws(random);
    const auto r = random_crop(image.height, image.width, config_.scale, config_.ratio, draws);
    const auto either = random.below(2) == 0 ? Interpolation::bilinear : Interpolation::bicubic;
    return image::resize(image::crop(image, r.top, r.left, r.height, r.width), height, width,
                         config_.interpolation.value_or(either));
  }
  return image;
}

std::vector<float> TrainTransform::operator()(image::Image image, Random random,
                                              const std::string& name) const {
  image = cropped(std::move(image), random, name);
  if (random.uniform() < config_.hflip) image = image::hflip(image);
  if (config_.auto_augment) {
    Fill fill;
    for (size_t c = 0; c < 3; ++c)
      fill[c] =
          static_cast<uint8_t>(std::clamp(std::nearbyint(255 * pipeline_.mean[c]), 0.0, 255.0));
    image = auto_augment(*config_.auto_augment, std::move(image), random,
                         {.filter = config_.interpolation,
                          .fill = fill,
                          .levels = {.translate_const = 0.45 * static_cast<double>(std::min(
                                                                   image.height, image.width))}});
  }
  auto values = prepared(image);
  if (config_.erase.probability > 0) {
    const auto [height, width] = config_.crop == TrainCrop::none
                                     ? image::output_size(pipeline_, image.height, image.width)
                                     : std::pair(image.height, image.width);
    RandomDraws draws(random);
    erase(config_.erase, values, 3, height, width, draws);
  }
  return values;
}

}  // namespace saccade::train
