#include "saccade/train/augment/transform.h"

#include <algorithm>

#include "saccade/base/error.h"
#include "saccade/image/preprocess.h"

namespace saccade::train {

TrainCrop parse_train_crop(const std::string& name) {
  if (name == "none") return TrainCrop::none;
  if (name == "pad") return TrainCrop::pad;
  throw usage_error("augment.crop '{}': expected none or pad", name);
}

void hflip(image::Image& image) {
  const auto channels = static_cast<size_t>(image.channels);
  const auto width = static_cast<size_t>(image.width);
  for (size_t y = 0; y < static_cast<size_t>(image.height); ++y) {
    uint8_t* row = image.pixels.data() + y * width * channels;
    for (size_t x = 0; x < width / 2; ++x)
      std::swap_ranges(row + x * channels, row + (x + 1) * channels,
                       row + (width - 1 - x) * channels);
  }
}

image::Image padded_window(const image::Image& image, int64_t padding, int64_t top, int64_t left,
                           const std::array<uint8_t, 3>& fill) {
  image::Image out{image.width, image.height, image.channels, {}};
  out.pixels.resize(image.pixels.size());
  const int64_t channels = image.channels;
  // Columns x of the window come from column x + left - padding of the picture.
  const int64_t from = std::clamp<int64_t>(padding - left, 0, image.width);
  const int64_t to = std::clamp<int64_t>(image.width + padding - left, 0, image.width);
  for (int64_t y = 0; y < image.height; ++y) {
    uint8_t* row = out.pixels.data() + y * image.width * channels;
    const int64_t source_y = y + top - padding;
    const bool inside = source_y >= 0 && source_y < image.height;
    const auto paint = [&](int64_t x) {
      for (int64_t c = 0; c < channels; ++c) row[x * channels + c] = fill[static_cast<size_t>(c)];
    };
    for (int64_t x = 0; x < (inside ? from : image.width); ++x) paint(x);
    if (!inside) continue;
    const uint8_t* source =
        image.pixels.data() + (source_y * image.width + from + left - padding) * channels;
    std::copy_n(source, (to - from) * channels, row + from * channels);
    for (int64_t x = to; x < image.width; ++x) paint(x);
  }
  return out;
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
    const auto top = static_cast<int64_t>(random.below(range));
    const auto left = static_cast<int64_t>(random.below(range));
    image = padded_window(image, config_.padding, top, left, pipeline_.fill);
  }
  if (random.uniform() < config_.hflip) hflip(image);
  if (config_.crop != TrainCrop::none) return normalised(image);
  const auto tensor = image::preprocess(image, pipeline_);
  const auto values = tensor.as<float>();
  return {values.begin(), values.end()};
}

}  // namespace saccade::train
