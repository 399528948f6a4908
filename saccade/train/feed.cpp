#include "saccade/train/feed.h"

#include <algorithm>

#include "saccade/base/error.h"

namespace saccade::train {

CachedImages::CachedImages(std::shared_ptr<const data::ImageDataset> source, int64_t budget)
    : source_(std::move(source)), left_(budget), kept_(static_cast<size_t>(source_->size())) {}

image::Image CachedImages::image(int64_t index) const {
  auto& place = kept_.at(static_cast<size_t>(index));
  {
    const std::lock_guard lock(mutex_);
    if (place) return *place;
  }
  auto picture = std::make_shared<const image::Image>(source_->image(index));
  const auto bytes = static_cast<int64_t>(picture->pixels.size());
  const std::lock_guard lock(mutex_);
  if (!place && bytes <= left_) {
    left_ -= bytes;
    place = picture;
  }
  return *picture;
}

Feed::Feed(std::shared_ptr<const data::ImageDataset> dataset, std::vector<data::Pick> picks,
           const data::LoaderOptions& options, int64_t height, int64_t width, ToFloats to_floats)
    : dataset_(std::move(dataset)),
      height_(height),
      width_(width),
      loader_(std::move(picks), options, std::move(to_floats)) {}

std::optional<ImageBatch> Feed::next() {
  const auto batch = loader_.next();
  if (!batch) return std::nullopt;
  const auto count = static_cast<int64_t>(batch->samples.size());
  ImageBatch out{torch::empty({count, 3, height_, width_}), torch::empty({count}, torch::kInt64)};
  auto* images = out.images.data_ptr<float>();
  auto* labels = out.labels.data_ptr<int64_t>();
  const auto floats = static_cast<size_t>(3 * height_ * width_);
  for (size_t i = 0; i < batch->samples.size(); ++i) {
    const auto& sample = batch->samples[i];
    const int64_t index = batch->picks[i].index;
    if (sample.size() != floats)
      throw input_error(dataset_->name(index),
                        "the pipeline gives {} values for this picture, the model takes 3x{}x{}",
                        sample.size(), height_, width_);
    images = std::copy(sample.begin(), sample.end(), images);
    labels[i] = dataset_->label(index);
  }
  return out;
}

}  // namespace saccade::train
