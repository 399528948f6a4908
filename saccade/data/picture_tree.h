#pragma once
// What a folder or an archive holds, as paths: the common ground of data set layouts.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/data/tar.h"

namespace saccade::data {

/// A picture below the root of a tree.
struct Leaf {
  std::string path;                  ///< relative to the tree's origin, '/' between parts
  std::span<const std::byte> bytes;  ///< where it lies in an archive; empty for a file on disk
};

/// Pictures and folders below `root`, a path inside the origin ("" or "train"). Everything in byte
/// order; hidden names (a leading '.') are left out.
struct PictureTree {
  std::string root;
  std::vector<Leaf> pictures;
  std::vector<std::string> folders;
  std::vector<std::string> skipped;  ///< neither picture nor folder: other suffixes, links, devices

  /// The path below `root`.
  [[nodiscard]] std::string_view below_root(std::string_view path) const;
  /// Names of the folders directly below `root`.
  [[nodiscard]] std::vector<std::string> top_folders() const;
  /// True if pictures lie in folders directly below the root: those are then the classes.
  [[nodiscard]] bool has_classes() const;
};

/// True for .jpg, .jpeg and .png in any case.
[[nodiscard]] bool has_picture_suffix(std::string_view path);

/// Everything below `folder`, links followed. Throws Error (bad_input) if a folder is reached twice
/// (a loop of links) or cannot be read.
[[nodiscard]] PictureTree list_folder(const std::filesystem::path& folder);
/// The same from an archive.
[[nodiscard]] PictureTree list_archive(const TarFile& archive);

/// The part of the tree below its folder `name`.
[[nodiscard]] PictureTree subtree(const PictureTree& tree, std::string_view name);

}  // namespace saccade::data
