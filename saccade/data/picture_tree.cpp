#include "saccade/data/picture_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "saccade/base/error.h"

namespace saccade::data {
namespace {

namespace fs = std::filesystem;

bool is_hidden(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != path.npos;
}

/// Device and inode: one folder, whatever names lead to it.
using Identity = std::pair<uint64_t, uint64_t>;

class FolderWalk {
 public:
  explicit FolderWalk(fs::path origin) : origin_(std::move(origin)) {}

  PictureTree run() {
    walk("");
    std::ranges::sort(tree_.pictures, {}, &Leaf::path);
    std::ranges::sort(tree_.folders);
    std::ranges::sort(tree_.skipped);
    return std::move(tree_);
  }

 private:
  void walk(const std::string& relative) {
    const auto folder = relative.empty() ? origin_ : origin_ / relative;
    enter(folder);
    std::error_code error;
    auto it = fs::directory_iterator(folder, error);
    for (; !error && it != fs::directory_iterator(); it.increment(error)) {
      const auto name = it->path().filename().string();
      if (is_hidden(name)) continue;
      add(relative.empty() ? name : fmt::format("{}/{}", relative, name), *it);
    }
    if (error) throw input_error(folder.string(), "cannot be listed: {}", error.message());
  }

  void add(std::string path, const fs::directory_entry& entry) {
    std::error_code error;
    const auto status = entry.status(error);  // of what a link leads to
    if (fs::is_directory(status)) {
      walk(path);
      tree_.folders.push_back(std::move(path));
    } else if (fs::is_regular_file(status) && has_picture_suffix(path)) {
      tree_.pictures.push_back({std::move(path), {}});
    } else {
      tree_.skipped.push_back(std::move(path));
    }
  }

  void enter(const fs::path& folder) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0)
      throw input_error(folder.string(), "cannot be opened: {}",
                        std::generic_category().message(errno));
    const auto [known, is_new] =
        entered_.try_emplace(Identity(info.st_dev, info.st_ino), folder.string());
    if (!is_new)
      throw input_error(folder.string(), "is a link to {}, which is part of the same data set",
                        known->second);
  }

  fs::path origin_;
  PictureTree tree_;
  std::map<Identity, std::string> entered_;
};

}  // namespace

bool has_picture_suffix(std::string_view path) {
  const auto dot = path.rfind('.');
  if (dot == path.npos) return false;
  std::string suffix(path.substr(dot + 1));
  for (auto& c : suffix)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return suffix == "jpg" || suffix == "jpeg" || suffix == "png";
}

std::string_view PictureTree::below_root(std::string_view path) const {
  return root.empty() ? path : path.substr(root.size() + 1);
}

std::vector<std::string> PictureTree::top_folders() const {
  std::vector<std::string> tops;
  const auto add = [&](std::string_view path, bool is_folder) {
    const auto rest = below_root(path);
    const auto slash = rest.find('/');
    const auto top = rest.substr(0, slash);
    if (slash == rest.npos && !is_folder) return;
    if (tops.empty() || tops.back() != top) tops.emplace_back(top);
  };
  for (const auto& folder : folders) add(folder, true);
  for (const auto& picture : pictures) add(picture.path, false);
  std::ranges::sort(tops);
  tops.erase(std::unique(tops.begin(), tops.end()), tops.end());
  return tops;
}

bool PictureTree::has_classes() const {
  return std::ranges::any_of(pictures, [&](const Leaf& leaf) {
    return std::ranges::count(below_root(leaf.path), '/') == 1;
  });
}

PictureTree list_folder(const fs::path& folder) { return FolderWalk(folder).run(); }

PictureTree list_archive(const TarFile& archive) {
  PictureTree tree;
  for (const auto& member : archive.members()) {
    if (is_hidden(member.name)) continue;
    if (has_picture_suffix(member.name))
      tree.pictures.push_back({member.name, member.bytes});
    else
      tree.skipped.push_back(member.name);
  }
  for (const auto& folder : archive.folders())
    if (!is_hidden(folder)) tree.folders.push_back(folder);
  for (const auto& other : archive.skipped())
    if (!is_hidden(other)) tree.skipped.push_back(other);
  std::ranges::sort(tree.skipped);
  return tree;
}

PictureTree subtree(const PictureTree& tree, std::string_view name) {
  PictureTree part;
  part.root = tree.root.empty() ? std::string(name) : fmt::format("{}/{}", tree.root, name);
  const auto inside = part.root + '/';
  for (const auto& picture : tree.pictures)
    if (picture.path.starts_with(inside)) part.pictures.push_back(picture);
  for (const auto& folder : tree.folders)
    if (folder.starts_with(inside)) part.folders.push_back(folder);
  for (const auto& other : tree.skipped)
    if (other.starts_with(inside)) part.skipped.push_back(other);
  return part;
}

}  // namespace saccade::data
