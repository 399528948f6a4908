#pragma once
// Batches of tensors from a data set of pictures, made ahead on worker threads.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "saccade/data/dataset.h"
#include "saccade/data/loader.h"

namespace saccade::train {

using torch::Tensor;

/// Keeps decoded pictures in memory, until `budget` bytes are used; the rest is decoded each time.
class CachedImages final : public data::ImageDataset {
 public:
  CachedImages(std::shared_ptr<const data::ImageDataset> source, int64_t budget);

  [[nodiscard]] int64_t size() const override { return source_->size(); }
  [[nodiscard]] image::Image image(int64_t index) const override;
  [[nodiscard]] int64_t label(int64_t index) const override { return source_->label(index); }
  [[nodiscard]] std::string name(int64_t index) const override { return source_->name(index); }
  [[nodiscard]] const std::vector<std::string>& classes() const override {
    return source_->classes();
  }

 private:
  std::shared_ptr<const data::ImageDataset> source_;
  mutable std::mutex mutex_;
  mutable int64_t left_;
  mutable std::vector<std::shared_ptr<const image::Image>> kept_;
};

struct ImageBatch {
  Tensor images;  ///< [B, 3, H, W] F32
  Tensor labels;  ///< [B] I64
};

/// Turns a picture into [3, height, width] floats; called on several threads at once.
using ToFloats = std::function<std::vector<float>(const data::Pick& pick)>;

/// The batches of one pass. Belongs to one thread.
class Feed {
 public:
  /// `height` and `width` of every sample; a sample of another size is an Error naming it.
  Feed(std::shared_ptr<const data::ImageDataset> dataset, std::vector<data::Pick> picks,
       const data::LoaderOptions& options, int64_t height, int64_t width, ToFloats to_floats);

  [[nodiscard]] int64_t batches() const { return loader_.batches(); }
  [[nodiscard]] std::optional<ImageBatch> next();

 private:
  std::shared_ptr<const data::ImageDataset> dataset_;
  int64_t height_, width_;
  data::Loader<std::vector<float>> loader_;
};

}  // namespace saccade::train
