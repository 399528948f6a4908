#include "saccade/checkpoint/shard_index.h"

#include <algorithm>
#include <map>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/common/plain_path.h"

namespace saccade::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndexSuffix = ".index.json";
constexpr size_t kMaxIndex = size_t{16} << 20;

/// Tensor names in the order of the index, and the file of each.
using WeightMap = std::vector<std::pair<std::string, std::string>>;

WeightMap read_weight_map(const Json& index, const std::string& file) {
  if (!index.is_object()) throw input_error(file, "a shard index must be a JSON object");
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty())
    throw input_error(file, "no shard index: \"weight_map\" is no object with tensors");
  WeightMap weights;
  for (const auto& [name, value] : map->items()) {
    if (!value.is_string())
      throw input_error(file, "weight_map: \"{}\" names no file but {}", name,
                        value.dump().substr(0, 100));
    const auto& shard = value.get_ref<const std::string&>();
    if (!is_plain_path(shard))
      throw input_error(file,
                        "weight_map: \"{}\" lies in \"{}\", which is no file below the folder "
                        "of the index",
                        name, shard.substr(0, 200));
    weights.emplace_back(name, shard);
  }
  return weights;
}

/// The tensors of one shard, moved into the places of the index.
class Places {
 public:
  Places(const WeightMap& weights, std::string file)
      : weights_(weights),
        file_(std::move(file)),
        entries_(weights.size()),
        filled_(weights.size()) {
    for (size_t i = 0; i < weights.size(); ++i) places_.emplace(weights[i].first, i);
  }

  void add(const std::string& shard, std::vector<Entry>& entries, uint32_t storage_base) {
    for (auto& entry : entries) {
      const auto place = places_.find(entry.path);
      if (place == places_.end() || weights_[place->second].second != shard)
        throw input_error(file_, "\"{}\" holds tensor \"{}\", which the index {}", shard,
                          entry.path.substr(0, 200),
                          place == places_.end() ? "does not name" : "places elsewhere");
      if (filled_[place->second])
        throw input_error(file_, "\"{}\" holds tensor \"{}\" twice", shard,
                          entry.path.substr(0, 200));
      filled_[place->second] = true;
      if (entry.storage) *entry.storage += storage_base;
      entries_[place->second] = std::move(entry);
    }
  }

  std::vector<Entry> finish() {
    for (size_t i = 0; i < weights_.size(); ++i)
      if (!filled_[i])
        throw input_error(file_, "tensor \"{}\" is not in \"{}\", where the index places it",
                          weights_[i].first.substr(0, 200), weights_[i].second);
    return std::move(entries_);
  }

 private:
  const WeightMap& weights_;
  std::string file_;
  std::map<std::string_view, size_t> places_;
  std::vector<Entry> entries_;
  std::vector<bool> filled_;
};

/// Safetensors or torch.save, by the name of the index or, failing that, of the shard.
bool is_safetensors(const fs::path& index, const std::string& shard) {
  const auto name = index.filename().string();
  if (name.ends_with(".safetensors.index.json")) return true;
  if (name.ends_with(".bin.index.json")) return false;
  return shard.ends_with(".safetensors");
}

}  // namespace

bool is_shard_index(const fs::path& path) {
  return path.filename().string().ends_with(kIndexSuffix);
}

fs::path find_checkpoint(const fs::path& folder) {
  for (const auto* name : {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                           "pytorch_model.bin.index.json"})
    if (std::error_code ignored; fs::exists(folder / name, ignored)) return folder / name;
  std::vector<fs::path> found;
  std::error_code unreadable;
  for (const auto& item : fs::directory_iterator(folder, unreadable))
    if (is_shard_index(item.path())) found.push_back(item.path());
  if (unreadable)
    throw input_error(folder.string(), "the folder cannot be read: {}", unreadable.message());
  if (found.size() == 1) return found.front();
  throw input_error(folder.string(),
                    "the folder has neither model.safetensors nor pytorch_model.bin, nor one "
                    "index of shards (*.index.json)");
}

Contents read_shards(const fs::path& index, std::vector<std::function<void()>>& checks) {
  const auto file = index.string();
  const auto json = parse_json(read_text(index, kMaxIndex), file);
  const auto weights = read_weight_map(json, file);
  Places places(weights, file);
  std::map<std::string_view, bool> done;
  for (const auto& [name, shard] : weights) done[shard] = false;
  const uint64_t slack = kSlack / done.size();
  uint32_t storage_base = 0;
  bool safetensors = false;
  for (const auto& [name, shard] : weights) {
    if (std::exchange(done[shard], true)) continue;
    const auto map = FileMap::open(index.parent_path() / shard);
    const Input input{map->bytes(), map->path().string(), map, slack};
    safetensors = is_safetensors(index, shard);
    auto contents = safetensors ? read_safetensors(input) : read_pth(input);
    check_total_size(contents.entries, input);
    if (!contents.left_out.empty())
      throw input_error(input.file, "tensor \"{}\" is {}", contents.left_out.front().path,
                        contents.left_out.front().reason);
    uint32_t highest = 0;
    for (const auto& entry : contents.entries)
      highest = std::max(highest, entry.storage.value_or(0));
    places.add(shard, contents.entries, storage_base);
    storage_base += highest + 1;
    if (contents.verify) checks.push_back(std::move(contents.verify));
  }
  Contents contents;
  contents.format = safetensors ? "safetensors-sharded" : "pth-sharded";
  contents.entries = places.finish();
  if (const auto metadata = json.find("metadata"); metadata != json.end() && metadata->is_object())
    contents.metadata = *metadata;
  return contents;
}

}  // namespace saccade::checkpoint
