// torch.save's files: the zip layout since torch 1.6 and the stream before it
// (torch/serialization.py, caffe2/serialize/inline_container.cc).

#include <algorithm>
#include <charconv>
#include <map>

#include "saccade/checkpoint/common/budget.h"
#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/common/contents.h"
#include "saccade/checkpoint/pickle/machine.h"
#include "saccade/checkpoint/pickle/torch_builder.h"
#include "saccade/checkpoint/pickle/tree.h"
#include "saccade/checkpoint/zip_reader.h"

namespace saccade::checkpoint {
namespace {

constexpr std::string_view kMagic = "119547037146038801333356";  // 0x1950a86a20f9469cfc6c
constexpr std::string_view kMagicOpcode = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t kLegacyProtocol = 1001;
constexpr int kLowestVersion = 1, kHighestVersion = 10;
// A pickle of state dicts deflates to about a tenth.
constexpr uint64_t kMaxPickleRatio = 64;

/// Keeps the file, the inflated records and the texts of the pickle.
struct Keeper {
  std::shared_ptr<const void> file;
  std::shared_ptr<const void> pickle;
  std::shared_ptr<const void> texts;
  std::vector<std::shared_ptr<const void>> records;
};

class ZipLayout {
 public:
  explicit ZipLayout(const Input& input)
      : input_(input),
        budget_(input.file, input.bytes.size(), input.slack),
        zip_(std::make_shared<ZipArchive>(input, budget_)),
        keeper_(std::make_shared<Keeper>()) {
    keeper_->file = input.owner;
  }

  Contents read() {
    find_root();
    check_version();
    const bool big_endian = read_byte_order();
    const auto& entry = require("data.pkl");
    if (entry.deflated && entry.size > 4096 && entry.size / kMaxPickleRatio > entry.stored_size)
      throw input_error_at(input_.file, entry.data,
                           "data.pkl inflates from {} to {} bytes, which no pickle of tensors does",
                           entry.stored_size, entry.size);
    const auto data = zip_->read_verified(entry, budget_);
    keeper_->pickle = data.owner;
    pickle::Source source{entry.deflated ? input_.file + " (data.pkl, inflated)" : input_.file,
                          entry.deflated ? 0 : entry.data, text_of(data.bytes), 0};
    pickle::Heap heap(budget_);
    pickle::TorchBuilder builder(
        source, heap, pickle::Layout::zip,
        [&](std::string_view key, uint64_t size) { return find_record(key, size, source); });
    const auto root = pickle::Machine(source, heap, builder).run();
    if (source.position != source.stream.size()) throw source.fail("something follows the pickle");
    keeper_->texts = heap.keeper();
    Contents contents;
    contents.format = "pth-zip";
    pickle::collect(root, {input_, heap, source, budget_, keeper_, big_endian}, contents);
    contents.verify = [zip = zip_] {
      for (const auto& record : zip->entries()) zip->verify(record);
    };
    return contents;
  }

 private:
  void find_root() {
    if (zip_->entries().empty()) throw input_error(input_.file, "the zip archive is empty");
    const auto& first = zip_->entries().front();
    const auto slash = first.name.find('/');
    if (slash == first.name.npos)
      throw input_error_at(input_.file, first.header,
                           "no checkpoint of torch.save: zip entry \"{}\" lies in no folder",
                           first.name);
    root_ = first.name.substr(0, slash + 1);
    if (zip_->find(root_ + "constants.pkl") != nullptr)
      throw input_error(input_.file,
                        "a TorchScript program ({}constants.pkl), not a checkpoint: save the "
                        "state_dict() of the module instead",
                        root_);
  }

  const ZipEntry& require(std::string_view record) const {
    const auto* entry = zip_->find(root_ + std::string(record));
    if (entry == nullptr)
      throw input_error(input_.file, "no checkpoint of torch.save: zip entry \"{}{}\" is missing",
                        root_, record);
    return *entry;
  }

  void check_version() {
    const auto& entry = require("version");
    if (entry.size > 16) throw wrong_version(entry);
    const auto data = zip_->read_verified(entry, budget_);
    auto text = text_of(data.bytes);
    if (text.ends_with('\n')) text.remove_suffix(1);
    int version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc{} || end != text.data() + text.size() || version < kLowestVersion ||
        version > kHighestVersion)
      throw wrong_version(entry);
  }

  [[nodiscard]] Error wrong_version(const ZipEntry& entry) const {
    return input_error_at(input_.file, entry.data, "the version record is no number from {} to {}",
                          kLowestVersion, kHighestVersion);
  }

  bool read_byte_order() {
    const auto* entry = zip_->find(root_ + "byteorder");
    if (entry == nullptr) return false;
    std::string order;
    if (entry->size <= 16) {
      const auto data = zip_->read_verified(*entry, budget_);
      order = text_of(data.bytes);
    }
    if (order != "little" && order != "big")
      throw input_error_at(input_.file, entry->data,
                           "the byteorder record is neither \"little\" nor \"big\"");
    return order == "big";
  }

  std::span<const std::byte> find_record(std::string_view key, uint64_t size,
                                         const pickle::Source& source) {
    if (const auto known = records_.find(key); known != records_.end()) {
      if (known->second.size() != size) throw wrong_size(key, known->second.size(), size, source);
      return known->second;
    }
    const auto* entry =
        key.size() > 256 ? nullptr : zip_->find(fmt::format("{}data/{}", root_, key));
    if (entry == nullptr)
      throw source.fail("storage \"{}\" has no record {}data/... in the archive",
                        key.substr(0, 100), root_);
    if (entry->size != size) throw wrong_size(key, entry->size, size, source);
    const auto data = zip_->read(*entry, budget_);
    if (entry->deflated) keeper_->records.push_back(data.owner);
    budget_.take(128, "the list of storages");
    records_.emplace(key, data.bytes);
    return data.bytes;
  }

  [[nodiscard]] static Error wrong_size(std::string_view key, uint64_t record, uint64_t declared,
                                        const pickle::Source& source) {
    return source.fail("the record of storage \"{}\" has {} bytes, the pickle says {}",
                       key.substr(0, 100), record, declared);
  }

  const Input& input_;
  Budget budget_;
  std::shared_ptr<ZipArchive> zip_;
  std::shared_ptr<Keeper> keeper_;
  std::string root_;  ///< folder of the records, with its slash
  std::map<std::string_view, std::span<const std::byte>, std::less<>> records_;
};

class LegacyLayout {
 public:
  explicit LegacyLayout(const Input& input)
      : input_(input),
        budget_(input.file, input.bytes.size(), input.slack),
        heap_(budget_),
        source_{input.file, 0, text_of(input.bytes), 0} {}

  Contents read() {
    read_head();
    pickle::TorchBuilder builder(source_, heap_, pickle::Layout::legacy);
    const auto root = pickle::Machine(source_, heap_, builder).run();
    const auto object_end = source_.position;
    read_storages(builder, read_keys());
    if (source_.position != source_.stream.size())
      throw source_.fail("{} bytes follow the last storage",
                         source_.stream.size() - source_.position);
    auto keeper = std::make_shared<Keeper>();
    keeper->file = input_.owner;
    keeper->texts = heap_.keeper();
    Contents contents;
    contents.format = "pth-legacy";
    source_.position = object_end;
    pickle::collect(root, {input_, heap_, source_, budget_, keeper}, contents);
    return contents;
  }

 private:
  pickle::Value run_plain() {
    pickle::PlainBuilder builder(source_);
    return pickle::Machine(source_, heap_, builder).run();
  }

  void read_head() {
    if (source_.stream.substr(0, 32).find(kMagicOpcode) == std::string_view::npos)
      throw wrong_magic();
    const auto magic = run_plain();
    if (magic.kind != pickle::Kind::big || magic.text() != kMagic) throw wrong_magic();
    const auto protocol = run_plain();
    if (protocol.kind != pickle::Kind::integer || protocol.integer != kLegacyProtocol)
      throw source_.fail("the protocol version is not {}", kLegacyProtocol);
    const auto info = run_plain();
    if (info.kind != pickle::Kind::dict) throw source_.fail("the system information is no dict");
    const auto& items = heap_.items(info);
    for (size_t i = 0; i + 1 < items.size(); i += 2)
      if (items[i].kind == pickle::Kind::text && items[i].text() == "little_endian" &&
          (items[i + 1].kind != pickle::Kind::boolean || items[i + 1].integer == 0))
        throw source_.fail("the file comes from a big-endian machine; save it again with torch");
  }

  [[nodiscard]] Error wrong_magic() const {
    return input_error_at(input_.file, 0,
                          "a pickle, but no checkpoint of torch.save, whose magic number is "
                          "missing; save its tensors with torch.save or numpy.savez");
  }

  std::vector<std::string_view> read_keys() {
    const auto list = run_plain();
    if (list.kind != pickle::Kind::list) throw source_.fail("the list of storages is no list");
    std::vector<std::string_view> keys;
    for (const auto& item : heap_.items(list)) {
      if (item.kind != pickle::Kind::text)
        throw source_.fail("the list of storages holds a key of type {}", name(item.kind));
      keys.push_back(item.text());
    }
    return keys;
  }

  void read_storages(const pickle::TorchBuilder& builder,
                     const std::vector<std::string_view>& keys) {
    const auto& roots = builder.roots();
    std::vector<bool> filled(heap_.storages.size());
    for (const auto key : keys) {
      const auto root = roots.find(key);
      if (root == roots.end())
        throw source_.fail("storage \"{}\" of the list is not used", key.substr(0, 100));
      if (filled[root->second])
        throw source_.fail("storage \"{}\" is listed twice", key.substr(0, 100));
      filled[root->second] = true;
      auto& storage = heap_.storages[root->second];
      const auto at = source_.position;
      const auto total = input_.bytes.size();
      if (!inside(at, 8, total)) throw source_.fail("the file is cut before a storage");
      const auto count = load<int64_t>(input_.bytes, at);
      if (count < 0 || static_cast<uint64_t>(count) != storage.count)
        throw source_.fail("storage \"{}\" has {} elements, the pickle says {}", key.substr(0, 100),
                           count, storage.count);
      if (!inside(at + 8, storage.size(), total))
        throw source_.fail("the file is cut inside storage \"{}\" of {} bytes", key.substr(0, 100),
                           storage.size());
      storage.bytes = input_.bytes.subspan(at + 8, storage.size());
      source_.position = at + 8 + storage.size();
    }
    for (const auto& [key, index] : roots)
      if (!filled[index])
        throw source_.fail("storage \"{}\" is missing in the list of storages", key.substr(0, 100));
  }

  const Input& input_;
  Budget budget_;
  pickle::Heap heap_;
  pickle::Source source_;
};

/// A tar, as torch 0.1 wrote (members sys_info, pickle, storages, tensors).
bool looks_like_tar(std::span<const std::byte> bytes) {
  return bytes.size() >= 512 && text_of(bytes.subspan(257, 5)) == "ustar";
}

}  // namespace

Contents read_pth(const Input& input) {
  const auto text = text_of(input.bytes);
  if (text.starts_with("PK")) return ZipLayout(input).read();
  if (looks_like_tar(input.bytes))
    throw input_error_at(
        input.file, 257,
        "a tar archive; if torch 0.1 wrote it as a checkpoint, load it with a torch "
        "before 2.0 and save it again");
  if (!text.starts_with('\x80'))
    throw input_error_at(input.file, 0,
                         "neither a zip archive nor a pickle, so no checkpoint of torch.save");
  return LegacyLayout(input).read();
}

}  // namespace saccade::checkpoint
