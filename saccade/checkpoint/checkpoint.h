#pragma once
// Checkpoints as plain views: safetensors, .pth (zip and legacy), .npy, .npz, sharded indexes and
// their folders. Nothing in a file is ever executed; nothing is copied until it is used.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/checkpoint/common/entry.h"

namespace saccade::checkpoint {

/// An opened checkpoint. Every header, offset and size has been validated.
class Checkpoint {
 public:
  /// Any kind of tensor file, a shard index, or the folder that holds one.
  /// Throws Error (bad_input) with file, byte offset and reason.
  [[nodiscard]] static Checkpoint open(const std::filesystem::path& path);

  /// "safetensors", "pth-zip", "pth-legacy", "npz", "npy", "safetensors-sharded", "pth-sharded"
  [[nodiscard]] std::string_view format() const { return format_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// In the order of the file's own listing.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// String metadata (safetensors) and simple values by path (.pth): what is no tensor.
  [[nodiscard]] const Json& metadata() const { return metadata_; }
  /// The wrapper that was unwrapped ("model", "state_dict", ...), or "".
  [[nodiscard]] const std::string& wrapper() const { return wrapper_; }

  [[nodiscard]] const std::vector<LeftOut>& left_out() const { return left_out_; }

  /// Reads everything that has a checksum (zip entries); throws Error (bad_input) if one is wrong.
  /// `open` has done it already for what it needed and for files up to 64 MiB.
  void verify() const;

  /// Named tensors (entries that have a name) as row-major tensors sharing the map where they can.
  /// Checks the sums first. Throws Error (bad_input) if two tensors have one name.
  [[nodiscard]] NamedTensors state_dict() const;

 private:
  std::filesystem::path path_;
  std::string_view format_;
  std::vector<Entry> entries_;
  Json metadata_ = Json::object();
  std::string wrapper_;
  std::vector<LeftOut> left_out_;
  std::vector<std::function<void()>> checks_;
};

}  // namespace saccade::checkpoint
