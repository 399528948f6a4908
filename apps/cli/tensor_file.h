#pragma once
// One tensor out of a file, for metrics.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/tensor.h"

namespace saccade::cli {

/// The tensor `key` of a .npy, .npz, .safetensors or .pth file. Without a key: the only tensor of
/// the file, or the only one whose name is `usual` or ends in `.` and `usual`. Throws Error: usage
/// that lists the names if none or several fit, bad_input for a malformed file.
[[nodiscard]] HostTensor read_tensor(const std::filesystem::path& path, const std::string& key,
                                     std::string_view usual);

/// Whole numbers from a tensor of any integer type. Throws Error (bad_input, naming `where`) for
/// others.
[[nodiscard]] std::vector<int64_t> to_integers(const HostTensor& tensor, std::string_view where);

}  // namespace saccade::cli
