#include "saccade/checkpoint/checkpoint.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/common/contents.h"
#include "saccade/checkpoint/common/shapes.h"
#include "saccade/checkpoint/npy_reader.h"
#include "saccade/checkpoint/shard_index.h"

namespace saccade::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kAlwaysVerified = uint64_t{64} << 20;  // smaller files are read completely

constexpr std::string_view kNoPath = "tensor";  // of a tensor whose key is ""

constexpr auto kPthExtensions = std::to_array<std::string_view>(
    {".pth", ".pt", ".bin", ".ckpt", ".pkl", ".pyth", ".tar", ".th", ".pickle"});

std::string lower_extension(const std::string& file) {
  auto extension = fs::path(file).extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

/// For a file whose name says nothing.
Contents read_by_content(const Input& input) {
  const auto text = text_of(input.bytes);
  if (looks_like_npy(input.bytes)) return read_npy(input);
  if (text.starts_with("PK")) {
    const auto name_size = text.size() > 30 ? load<uint16_t>(input.bytes, 26) : 0;
    const auto name = text.substr(std::min<size_t>(30, text.size()), name_size);
    return name.ends_with(".npy") ? read_npz(input) : read_pth(input);
  }
  if (text.starts_with('\x80')) return read_pth(input);
  if (text.size() > 8 && text[8] == '{') return read_safetensors(input);
  throw input_error_at(input.file, 0,
                       "no checkpoint: neither safetensors, torch.save, npz nor npy");
}

}  // namespace

Contents read_any(const Input& input) {
  const auto extension = lower_extension(input.file);
  if (extension == ".safetensors") return read_safetensors(input);
  if (extension == ".npz") return read_npz(input);
  if (extension == ".npy") return read_npy(input);
  if (std::ranges::find(kPthExtensions, extension) != kPthExtensions.end()) return read_pth(input);
  return read_by_content(input);
}

void check_total_size(const std::vector<Entry>& entries, const Input& input) {
  const uint64_t limit = 4 * input.bytes.size() + input.slack;
  uint64_t total = 0;
  for (const auto& entry : entries) {
    const auto size = byte_size(entry.view.dtype, entry.view.shape);
    total += static_cast<uint64_t>(size.value_or(0));
    if (!size || total > limit)
      throw input_error(input.file,
                        "tensor \"{}\" {} repeats the bytes of the file so often that the tensors "
                        "have more than {} bytes together; save expanded tensors with .clone()",
                        entry.path.substr(0, 200), to_string(entry.view.shape), limit);
  }
}

Checkpoint Checkpoint::open(const fs::path& path) {
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  std::error_code ignored;
  const auto file = fs::is_directory(path, ignored) ? find_checkpoint(path) : path;
  Contents contents;
  if (is_shard_index(file)) {
    contents = read_shards(file, checkpoint.checks_);
  } else {
    const auto map = FileMap::open(file);
    const Input input{map->bytes(), file.string(), map};
    contents = read_any(input);
    check_total_size(contents.entries, input);
    if (contents.verify && input.bytes.size() <= kAlwaysVerified) {
      contents.verify();
    } else if (contents.verify) {
      checkpoint.checks_.push_back(std::move(contents.verify));
    }
  }
  for (auto& entry : contents.entries)
    if (entry.path.empty()) entry.path = kNoPath;
  checkpoint.format_ = contents.format;
  checkpoint.wrapper_ = choose_names(contents.entries, contents.root_children);
  checkpoint.entries_ = std::move(contents.entries);
  checkpoint.metadata_ = std::move(contents.metadata);
  checkpoint.left_out_ = std::move(contents.left_out);
  return checkpoint;
}

void Checkpoint::verify() const {
  for (const auto& check : checks_) check();
}

NamedTensors Checkpoint::state_dict() const {
  verify();
  NamedTensors tensors;
  std::unordered_set<std::string_view> names;
  for (const auto& entry : entries_) {
    if (!entry.name) continue;
    if (!names.insert(*entry.name).second)
      throw input_error(path_.string(), "two tensors are called \"{}\"", *entry.name);
    const auto address = reinterpret_cast<uintptr_t>(entry.view.bytes.data());
    const bool aligned =
        address % std::max<uintptr_t>(1, static_cast<uintptr_t>(bits(entry.view.dtype) / 8)) == 0;
    tensors.emplace_back(*entry.name, contiguous(entry.view, aligned ? entry.owner : nullptr));
  }
  return tensors;
}

}  // namespace saccade::checkpoint
