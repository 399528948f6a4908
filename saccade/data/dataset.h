#pragma once
// Labelled pictures: a folder of class folders, the same in a tar, or CIFAR's binary batches.
// docs/formats/data.md describes the layouts.

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
  /// Files beside the pictures that are no part of the set (other formats, pictures outside the
  /// class folders), for the linter.
  [[nodiscard]] virtual std::vector<std::string> skipped() const { return {}; }
};

/// A folder or an uncompressed tar with `<split>/<class>/<picture>` or `<class>/<picture>`, a
/// folder that holds such tars (`*_<split>.tar`), or the binary folder of CIFAR-10 or CIFAR-100
/// (classes in its own order). Classes are sorted by name, an empty class folder counts; pictures
/// are JPEG and PNG at any depth of their class folder, in byte order of path; hidden names are
/// left out. A folder around the whole set is passed through. `split` "" takes the root, or the
/// only split there is. Throws Error (usage) that lists the splits found if `split` is not there or
/// more than one could be meant; bad_input if the files do not hold.
[[nodiscard]] std::shared_ptr<const ImageDataset> open_image_dataset(
    const std::filesystem::path& path, const std::string& split,
    const image::DecodeOptions& options = {});

/// The splits that `open_image_dataset` can open there; empty where the classes stand at the root.
[[nodiscard]] std::vector<std::string> image_dataset_splits(const std::filesystem::path& path);

}  // namespace saccade::data
