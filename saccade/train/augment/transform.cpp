#include "saccade/train/augment/transform.h"

#include "saccade/base/error.h"
#include "saccade/image/preprocess.h"
#include "saccade/image/transform.h"

namespace saccade::train {

TrainCrop parse_train_crop(const std::string& name) {
  if (name == "none") return TrainCrop::none;
  if (name == "pad") return TrainCrop::pad;
  throw usage_error("augment.crop '{}': expected none or pad", name);
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

std::vector<float> TrainTransform::normalised(const image::Image& image) const {
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

std::vector<float> TrainTransform::operator()(image::Image image, Random random,
                                              const std::string& name) const {
  if (config_.crop == TrainCrop::pad) {
    if (image.height != pipeline_.crop_height || image.width != pipeline_.crop_width)
      throw input_error(name,
                        "the picture is {}x{}, but crop = \"pad\" needs pictures of the pipeline's "
                        "size {}x{}: use another crop",
                        image.width, image.height, pipeline_.crop_width, pipeline_.crop_height);
    const auto range = static_cast<uint64_t>(2 * config_.padding + 1);
    const auto top = static_cast<int64_t>(random.below(range)) - config_.padding;
    const auto left = static_cast<int64_t>(random.below(range)) - config_.padding;
    const auto& fill = pipeline_.fill;
    image =
        image::crop(image, top, left, image.height, image.width, {fill[0], fill[1], fill[2], 0});
  }
  if (random.uniform() < config_.hflip) image = image::hflip(image);
  if (config_.crop != TrainCrop::none) return normalised(image);
  const auto tensor = image::preprocess(image, pipeline_);
  const auto values = tensor.as<float>();
  return {values.begin(), values.end()};
}

}  // namespace saccade::train
