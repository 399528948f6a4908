#pragma once
// Checkpoints as plain views: safetensors, .pth (zip and legacy), .npy, .npz, sharded indexes and
// their folders. Nothing in a file is ever executed; nothing is copied until it is used.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/base/tensor.h"

namespace saccade::checkpoint {

/// One tensor of a file.
struct Entry {
  std::string path;                   ///< place in the file: all containers, joined by '.'
  std::optional<std::string> name;    ///< after unwrapping; empty outside the chosen dictionary
  TensorView view;                    ///< valid while the Checkpoint lives
  std::shared_ptr<const void> owner;  ///< keeps `view` alive beyond the Checkpoint
};

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

  /// Named tensors (entries that have a name) as row-major tensors sharing the map where they can.
  [[nodiscard]] NamedTensors state_dict() const;

 private:
  std::filesystem::path path_;
  std::string_view format_;
  std::vector<Entry> entries_;
  Json metadata_ = Json::object();
  std::string wrapper_;
};

}  // namespace saccade::checkpoint
