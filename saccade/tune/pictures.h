#pragma once
// The pictures that a plan is calibrated on, as the model sees them.

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "saccade/data/dataset.h"
#include "saccade/plan/plan.h"

namespace saccade::tune {

/// Told how many more pictures a step ("ranges", "errors", "answers") has seen.
using OnPictures = std::function<void(std::string_view step, int64_t pictures)>;

class Pictures {
 public:
  /// At most `count` pictures, spread evenly, of class folders or a tar of them (the split "train"
  /// where there are several), of CIFAR, or of any folder or tar with pictures. They have labels if
  /// the classes are those of the plan, matched as `saccade eval` does. Throws Error: usage if the
  /// plan cannot take pictures, bad_input for a folder without any.
  Pictures(const std::filesystem::path& path, const plan::Plan& plan, int64_t count);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] int64_t size() const { return size_; }
  [[nodiscard]] bool labelled() const { return !truth_.empty(); }
  /// Why there are no labels, for people.
  [[nodiscard]] const std::string& why_unlabelled() const { return why_unlabelled_; }

  /// A few of them.
  struct Batch {
    HostTensor images;               ///< [B, 3, H, W] F32
    std::span<const int64_t> truth;  ///< classes of the model, or empty
  };
  /// Gives them in batches, decoded anew each time; `limit` of them, spread evenly.
  void for_each(int64_t batch, int64_t limit,
                const std::function<void(const Batch& batch)>& visit) const;

 private:
  [[nodiscard]] HostTensor load(int64_t index) const;

  std::string name_;
  Pipeline pipeline_;
  ops::Dims expected_;  ///< of the plan's input
  std::shared_ptr<const data::ImageDataset> dataset_;
  std::vector<int64_t> indices_;  ///< of the chosen ones
  std::vector<int64_t> truth_;    ///< of the chosen ones
  std::string why_unlabelled_;
  int64_t size_ = 0;
};

}  // namespace saccade::tune
