#pragma once
// One array in numpy's format (numpy/lib/_format_impl.py), alone or as an entry of an npz.

#include <optional>
#include <string_view>

#include "saccade/checkpoint/common/budget.h"
#include "saccade/checkpoint/common/contents.h"

namespace saccade::checkpoint {

/// `origin` is the offset of the bytes in the file, for messages. The entry has no path yet. Empty
/// for arrays of texts or objects, whose `descr` is returned in `skipped` if that is given;
/// otherwise they are refused.
[[nodiscard]] std::optional<Entry> parse_npy(const Input& input, uint64_t origin, Budget& budget,
                                             std::string* skipped);

[[nodiscard]] bool looks_like_npy(std::span<const std::byte> bytes);

}  // namespace saccade::checkpoint
