#pragma once
// Checkpoints in several files: the index of Hugging Face's hub and its folder.

#include <filesystem>
#include <functional>

#include "saccade/checkpoint/common/contents.h"

namespace saccade::checkpoint {

/// True for `*.index.json`.
[[nodiscard]] bool is_shard_index(const std::filesystem::path& path);

/// The file of a folder to open: a whole checkpoint or an index, in Hugging Face's order. Throws
/// Error (bad_input) naming what was looked for.
[[nodiscard]] std::filesystem::path find_checkpoint(const std::filesystem::path& folder);

/// Every tensor of the index from exactly the file that the index names; `checks` gets what the
/// shards verify later. Shards lie in the folder of the index or below. Throws Error (bad_input).
[[nodiscard]] Contents read_shards(const std::filesystem::path& index,
                                   std::vector<std::function<void()>>& checks);

}  // namespace saccade::checkpoint
