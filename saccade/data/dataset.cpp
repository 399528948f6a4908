#include "saccade/data/dataset.h"

#include <algorithm>
#include <utility>

#include "saccade/base/check.h"
#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/data/cifar.h"
#include "saccade/data/picture_tree.h"
#include "saccade/data/tar.h"

namespace saccade::data {
namespace {

namespace fs = std::filesystem;

/// A listing and where its bytes come from.
struct Source {
  fs::path origin;                         ///< folder or archive
  std::shared_ptr<const TarFile> archive;  ///< null: files below `origin`
  PictureTree tree;
};

class FolderDataset : public ImageDataset {
 public:
  FolderDataset(Source source, const image::DecodeOptions& options)
      : source_(std::move(source)), options_(options), classes_(source_.tree.top_folders()) {
    for (auto& leaf : std::exchange(source_.tree.pictures, {})) {
      const auto rest = source_.tree.below_root(leaf.path);
      const auto slash = rest.find('/');
      if (slash == rest.npos) {
        source_.tree.skipped.push_back(std::move(leaf.path));
        continue;
      }
      const auto place = std::ranges::lower_bound(classes_, rest.substr(0, slash));
      samples_.push_back({std::move(leaf), place - classes_.begin()});
    }
    std::ranges::stable_sort(samples_, {}, &Sample::label);
  }

  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  int64_t label(int64_t index) const override { return sample(index).label; }
  const std::vector<std::string>& classes() const override { return classes_; }
  std::vector<std::string> skipped() const override { return source_.tree.skipped; }

  std::string name(int64_t index) const override {
    const auto& path = sample(index).leaf.path;
    if (source_.archive) return fmt::format("{}:{}", source_.origin.string(), path);
    return (source_.origin / path).string();
  }

  image::Image image(int64_t index) const override {
    const auto& leaf = sample(index).leaf;
    if (source_.archive) return image::decode(leaf.bytes, options_, name(index));
    return image::read_image(source_.origin / leaf.path, options_);
  }

 private:
  struct Sample {
    Leaf leaf;
    int64_t label;
  };

  [[nodiscard]] const Sample& sample(int64_t index) const {
    SACCADE_CHECK(index >= 0 && index < size(), "sample {} of {}", index, size());
    return samples_[static_cast<size_t>(index)];
  }

  Source source_;
  image::DecodeOptions options_;
  std::vector<std::string> classes_;
  std::vector<Sample> samples_;
};

Error no_such_split(const fs::path& path, const std::string& split,
                    const std::vector<std::string>& splits) {
  const auto found =
      splits.empty() ? "it holds no splits" : fmt::format("it holds {}", fmt::join(splits, ", "));
  if (split.empty())
    return usage_error("{}: several splits could be meant ({}); choose one with --split",
                       path.string(), found);
  return usage_error("{}: no split \"{}\" ({})", path.string(), split, found);
}

Error no_classes(const fs::path& path, const std::string& root) {
  return input_error(path.string(), "no pictures in class folders{}: <class>/<name>.jpg or .png {}",
                     root.empty() ? "" : " below " + root, "was expected");
}

/// Passes through folders that hold nothing but one folder, until classes or splits show.
PictureTree unwrap(PictureTree tree) {
  while (!tree.has_classes()) {
    const auto tops = tree.top_folders();
    if (tops.size() != 1) break;
    auto inner = subtree(tree, tops.front());
    if (inner.pictures.empty()) break;
    tree = std::move(inner);
  }
  return tree;
}

/// The splits of a tree: its top folders, unless those are classes already.
std::vector<std::string> splits_of(const PictureTree& tree) {
  if (tree.has_classes()) return {};
  auto tops = tree.top_folders();
  std::erase_if(tops, [&](const auto& top) { return !subtree(tree, top).has_classes(); });
  return tops;
}

std::vector<std::string> any_splits(const fs::path& path);

/// The part of the tree whose top folders are the classes. `implied`: the origin's own name says
/// that all of it is the split.
PictureTree choose(PictureTree tree, const std::string& split, const fs::path& path, bool implied) {
  for (;;) {
    const auto tops = tree.top_folders();
    const bool classes = tree.has_classes();
    if (!split.empty() && std::ranges::binary_search(tops, split)) {
      auto part = subtree(tree, split);
      if (part.has_classes()) return part;
    }
    if (classes && (split.empty() || implied)) return tree;
    if (classes || tops.size() != 1) break;
    tree = subtree(tree, tops.front());
  }
  const auto splits = splits_of(tree);
  if (tree.has_classes() || !splits.empty()) throw no_such_split(path, split, splits);
  throw no_classes(path, tree.root);
}

bool is_archive(const fs::path& path) {
  return path.extension() == ".tar" && fs::is_regular_file(path);
}

/// The tars directly in a folder, in byte order.
std::vector<fs::path> archives_in(const fs::path& folder) {
  std::vector<fs::path> archives;
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_archive(entry.path()) && !entry.path().filename().string().starts_with('.'))
      archives.push_back(entry.path());
  std::ranges::sort(archives);
  return archives;
}

/// What the name of a tar says about its split: "test" for cifar10_test.tar and for test.tar.
std::string split_of_name(const fs::path& archive) {
  const auto stem = archive.stem().string();
  return stem.substr(stem.rfind('_') + 1);
}

Source open_archive(const fs::path& path, const std::string& split) {
  auto archive = TarFile::open(path);
  const bool implied = split_of_name(path) == split;
  auto tree = choose(list_archive(*archive), split, path, implied);
  return {path, std::move(archive), std::move(tree)};
}

bool has_folders(const fs::path& folder) {
  return std::ranges::any_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    return entry.is_directory() && !entry.path().filename().string().starts_with('.');
  });
}

Source open_folder(const fs::path& path, const std::string& split) {
  if (!split.empty() && fs::is_directory(path / split))
    return {path / split, nullptr, choose(list_folder(path / split), "", path / split, false)};
  const auto archives = archives_in(path);
  const auto named = std::ranges::find(archives, split, split_of_name);
  if (named != archives.end()) return open_archive(*named, split);
  if (!archives.empty() && !has_folders(path)) {
    if (archives.size() == 1) return open_archive(archives.front(), split);
    throw no_such_split(path, split, any_splits(path));
  }
  return {path, nullptr, choose(list_folder(path), split, path, false)};
}

/// The CIFAR folder that `path` is or directly holds; empty if there is none.
fs::path find_cifar(const fs::path& path) {
  for (const auto* inner : {"", "cifar-10-batches-bin", "cifar-100-binary"}) {
    auto folder = *inner == '\0' ? path : path / inner;
    if (!cifar_splits(folder).empty()) return folder;
  }
  return {};
}

/// Opens what `path` is; errors of the file system still speak its own language.
std::shared_ptr<const ImageDataset> open_any(const fs::path& path, const std::string& split,
                                             const image::DecodeOptions& options) {
  if (!fs::exists(path)) throw input_error(path.string(), "no such file or folder");
  if (!fs::is_directory(path))
    return std::make_shared<FolderDataset>(open_archive(path, split), options);
  const auto cifar = find_cifar(path);
  if (cifar.empty()) return std::make_shared<FolderDataset>(open_folder(path, split), options);
  const auto splits = cifar_splits(cifar);
  const auto chosen = split.empty() && splits.size() == 1 ? splits.front() : split;
  if (std::ranges::find(splits, chosen) == splits.end()) throw no_such_split(path, split, splits);
  return open_cifar(cifar, chosen);
}

std::vector<std::string> any_splits(const fs::path& path) {
  if (!fs::is_directory(path)) return splits_of(unwrap(list_archive(*TarFile::open(path))));
  if (const auto cifar = find_cifar(path); !cifar.empty()) return cifar_splits(cifar);
  const auto archives = archives_in(path);
  if (archives.empty() || has_folders(path)) return splits_of(unwrap(list_folder(path)));
  if (archives.size() == 1)
    if (auto splits = any_splits(archives.front()); !splits.empty()) return splits;
  std::vector<std::string> splits;
  std::ranges::transform(archives, std::back_inserter(splits), split_of_name);
  return splits;
}

/// What the file system refuses is an error of the input.
template <class Body>
auto naming(const fs::path& path, Body body) {
  try {
    return body();
  } catch (const fs::filesystem_error& error) {
    const auto& at = error.path1().empty() ? path : error.path1();
    throw input_error(at.string(), "{}", error.code().message());
  }
}

}  // namespace

std::shared_ptr<const ImageDataset> open_image_dataset(const fs::path& path,
                                                       const std::string& split,
                                                       const image::DecodeOptions& options) {
  return naming(path, [&] { return open_any(path, split, options); });
}

std::vector<std::string> image_dataset_splits(const fs::path& path) {
  return naming(path, [&] { return any_splits(path); });
}

}  // namespace saccade::data
