#pragma once
// What a file of any kind holds: found here, shown by inspect.cpp.

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

#include "saccade/base/json.h"
#include "saccade/checkpoint/checkpoint.h"

namespace saccade::cli {

struct InspectOptions {
  bool hash = false;                ///< read everything: sums, pixels, SHA-256 of each tensor
  int64_t max_pixels = 64'000'000;  ///< of pictures
};

struct Inspection {
  std::string format;  ///< "safetensors", "pth-zip" ... "jpeg", "png", "huggingface-config" ...
  std::optional<checkpoint::Checkpoint> checkpoint;
  // Of files that are no checkpoint:
  Json tensors = Json::array();  ///< rows of the JSON contract
  Json metadata = Json::object();
};

/// Opens a checkpoint, an index of shards, the folder of either, an npy or npz, a configuration of
/// a model or a pipeline, a picture, or a plan, and judges it. With `hash` the file is read
/// completely. Throws Error (bad_input) for everything that cannot be listed.
[[nodiscard]] Inspection inspect(const std::filesystem::path& path, const InspectOptions& options);

/// One JSON object and a line end: format, tensors (path, name, dtype, shape, sha256), metadata;
/// also wrapper, shared_storage (groups of paths) and left_out where there are any.
void write_json(const Inspection& inspection, const InspectOptions& options, std::ostream& out);
/// The same for people.
void write_text(const Inspection& inspection, const InspectOptions& options, std::ostream& out);

}  // namespace saccade::cli
