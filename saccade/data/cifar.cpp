#include "saccade/data/cifar.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "saccade/base/check.h"
#include "saccade/base/error.h"
#include "saccade/base/file.h"

namespace saccade::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 32;
constexpr int64_t kPlane = kSide * kSide;

/// What tells the two sets apart.
struct Layout {
  std::string names_file;
  int64_t label_bytes;  ///< the last of them is the class

  [[nodiscard]] int64_t record() const { return label_bytes + 3 * kPlane; }
};

std::optional<Layout> layout_of(const fs::path& folder) {
  if (fs::is_regular_file(folder / "data_batch_1.bin") ||
      fs::is_regular_file(folder / "test_batch.bin"))
    return Layout{"batches.meta.txt", 1};
  if (fs::is_regular_file(folder / "fine_label_names.txt") &&
      (fs::is_regular_file(folder / "train.bin") || fs::is_regular_file(folder / "test.bin")))
    return Layout{"fine_label_names.txt", 2};
  return std::nullopt;
}

std::vector<fs::path> batch_files(const fs::path& folder, const Layout& layout,
                                  const std::string& split) {
  std::vector<fs::path> files;
  if (split != "train" && split != "test") return files;
  const auto add = [&](const std::string& name) {
    if (fs::is_regular_file(folder / name)) files.push_back(folder / name);
  };
  if (layout.label_bytes == 2) {
    add(split + ".bin");
  } else if (split == "test") {
    add("test_batch.bin");
  } else {
    for (int i = 1; i <= 5; ++i) add(fmt::format("data_batch_{}.bin", i));
  }
  return files;
}

std::vector<std::string> read_names(const fs::path& path) {
  std::vector<std::string> names;
  const auto text = read_text(path, 1 << 20);
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(std::move(line));
    at = end + 1;
  }
  return names;
}

class Cifar : public ImageDataset {
 public:
  Cifar(const fs::path& folder, const Layout& layout, const std::vector<fs::path>& files)
      : layout_(layout), classes_(read_names(folder / layout.names_file)) {
    for (const auto& path : files) {
      batches_.push_back({FileMap::open(path), size_});
      size_ += count_records(*batches_.back().map);
    }
  }

  int64_t size() const override { return size_; }
  const std::vector<std::string>& classes() const override { return classes_; }

  int64_t label(int64_t index) const override {
    return static_cast<int64_t>(record(index)[static_cast<size_t>(layout_.label_bytes - 1)]);
  }

  std::string name(int64_t index) const override {
    const auto& batch = batch_of(index);
    return fmt::format("{}:record {}", batch.map->path().string(), index - batch.first);
  }

  image::Image image(int64_t index) const override {
    const auto planes = record(index).subspan(static_cast<size_t>(layout_.label_bytes));
    image::Image picture{kSide, kSide, 3, std::vector<uint8_t>(3 * kPlane)};
    for (size_t i = 0; i < kPlane; ++i)
      for (size_t c = 0; c < 3; ++c)
        picture.pixels[3 * i + c] = static_cast<uint8_t>(planes[c * kPlane + i]);
    return picture;
  }

 private:
  struct Batch {
    std::shared_ptr<const FileMap> map;
    int64_t first;  ///< index of its first record
  };

  [[nodiscard]] int64_t count_records(const FileMap& map) const {
    const auto file = map.path().string();
    const auto bytes = map.bytes();
    const auto record = static_cast<size_t>(layout_.record());
    if (bytes.size() % record != 0)
      throw input_error_at(file, bytes.size() / record * record,
                           "{} bytes remain, a record has {}: the file was cut off",
                           bytes.size() % record, record);
    for (size_t at = 0; at < bytes.size(); at += record) {
      const size_t place = at + static_cast<size_t>(layout_.label_bytes - 1);
      if (static_cast<size_t>(bytes[place]) >= classes_.size())
        throw input_error_at(file, place, "class {}, but {} names {} classes",
                             static_cast<int>(bytes[place]), layout_.names_file, classes_.size());
    }
    return static_cast<int64_t>(bytes.size() / record);
  }

  [[nodiscard]] const Batch& batch_of(int64_t index) const {
    SACCADE_CHECK(index >= 0 && index < size_, "sample {} of {}", index, size_);
    return *std::prev(std::ranges::upper_bound(batches_, index, {}, &Batch::first));
  }

  [[nodiscard]] std::span<const std::byte> record(int64_t index) const {
    const auto& batch = batch_of(index);
    return batch.map->bytes().subspan(static_cast<size_t>((index - batch.first) * layout_.record()),
                                      static_cast<size_t>(layout_.record()));
  }

  Layout layout_;
  std::vector<std::string> classes_;
  std::vector<Batch> batches_;
  int64_t size_ = 0;
};

}  // namespace

std::vector<std::string> cifar_splits(const fs::path& folder) {
  std::vector<std::string> splits;
  if (const auto layout = layout_of(folder))
    for (const auto* split : {"test", "train"})
      if (!batch_files(folder, *layout, split).empty()) splits.emplace_back(split);
  return splits;
}

std::shared_ptr<const ImageDataset> open_cifar(const fs::path& folder, const std::string& split) {
  const auto layout = layout_of(folder);
  SACCADE_CHECK(layout.has_value(), "{} is no CIFAR folder", folder.string());
  return std::make_shared<Cifar>(folder, *layout, batch_files(folder, *layout, split));
}

}  // namespace saccade::data
