#pragma once
// Labelled pictures: a folder of class folders, the same in a tar, or CIFAR-10's binary batches.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "saccade/image/decode.h"
#include "saccade/image/image.h"

namespace saccade::data {

/// Random access, thread-safe: `image` may be called from several threads at once.
class ImageDataset {
 public:
  virtual ~ImageDataset() = default;
  [[nodiscard]] virtual int64_t size() const = 0;
  /// The decoded RGB picture. Throws Error naming the member that is broken.
  [[nodiscard]] virtual image::Image image(int64_t index) const = 0;
  [[nodiscard]] virtual int64_t label(int64_t index) const = 0;
  /// File or member name, for messages.
  [[nodiscard]] virtual std::string name(int64_t index) const = 0;
  /// Class names; a label is an index into them.
  [[nodiscard]] virtual const std::vector<std::string>& classes() const = 0;
};

/// A folder or an uncompressed tar with `<split>/<class>/<picture>` or `<class>/<picture>`, a
/// folder that holds such tars (`*_<split>.tar`), or the CIFAR-10 binary folder. Classes sorted by
/// name. `split` "" takes the root. Throws Error that lists the splits found if `split` is not
/// there.
[[nodiscard]] std::shared_ptr<const ImageDataset> open_image_dataset(
    const std::filesystem::path& path, const std::string& split,
    const image::DecodeOptions& options = {});

}  // namespace saccade::data
