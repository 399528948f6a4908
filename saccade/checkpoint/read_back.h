#pragma once
// What both writers check: the names before, the file afterwards.

#include <filesystem>
#include <string_view>

#include "saccade/checkpoint/common/contents.h"

namespace saccade::checkpoint {

/// Throws Error (usage) if a name occurs twice or is no UTF-8.
void check_names(const NamedTensors& tensors);

/// Reads the temporary file `written` and throws Error (resources), naming `path`, unless it holds
/// exactly these tensors, their paths behind "wrap." if `wrap` is given.
void check_read_back(const std::filesystem::path& written, const std::filesystem::path& path,
                     const NamedTensors& tensors, std::string_view wrap,
                     Contents (*reader)(const Input&));

}  // namespace saccade::checkpoint
