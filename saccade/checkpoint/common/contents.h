#pragma once
// What a reader gets and what it finds, before names are chosen.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/checkpoint/common/budget.h"
#include "saccade/checkpoint/common/entry.h"

namespace saccade::checkpoint {

/// The bytes of one file.
struct Input {
  std::span<const std::byte> bytes;
  std::string file;                   ///< for messages
  std::shared_ptr<const void> owner;  ///< keeps `bytes` alive
  uint64_t slack = kSlack;            ///< for its Budget: files of one checkpoint share it
};

/// A key of the root dictionary whose value is a dictionary: entries [begin, end) lie below it.
struct RootChild {
  std::string key;
  size_t begin = 0;
  size_t end = 0;
};

struct Contents {
  std::string_view format;
  std::vector<Entry> entries;  ///< names not chosen yet
  Json metadata = Json::object();
  std::vector<LeftOut> left_out;
  std::vector<RootChild> root_children;
  /// Reads what has a checksum and was not read yet; throws Error (bad_input) if one is wrong.
  std::function<void()> verify;
};

[[nodiscard]] Contents read_safetensors(const Input& input);
/// torch.save: the zip layout, or the one before torch 1.6.
[[nodiscard]] Contents read_pth(const Input& input);
[[nodiscard]] Contents read_npy(const Input& input);
[[nodiscard]] Contents read_npz(const Input& input);

/// Any of them: by the extension of the name, else by the first bytes.
[[nodiscard]] Contents read_any(const Input& input);

/// Refuses a file whose tensors together are far larger than the file (expanded views).
void check_total_size(const std::vector<Entry>& entries, const Input& input);

/// Chooses the dictionary that holds the model and names its tensors (docs/formats/checkpoints.md):
/// returns the key of that dictionary, "" for the root itself.
[[nodiscard]] std::string choose_names(std::vector<Entry>& entries,
                                       const std::vector<RootChild>& children);

}  // namespace saccade::checkpoint
