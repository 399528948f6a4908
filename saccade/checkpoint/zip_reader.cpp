#include "saccade/checkpoint/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <numeric>

#include "saccade/base/utf8.h"
#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/zip_format.h"

namespace saccade::checkpoint {
namespace {

using namespace zip;

constexpr uint16_t kKnownFlags = kUtf8Flag | kDescriptorFlag | 0x0006;  // and deflate effort
constexpr uint64_t kMaxDeflateRatio = 1032;                             // zlib's technical notes

/// The zip64 record of an extra field, if it has one. False if the field is malformed.
bool find_zip64_extra(std::span<const std::byte> extra, std::span<const std::byte>& found) {
  for (uint64_t at = 0; at < extra.size();) {
    if (!inside(at, 4, extra.size())) return false;
    const auto id = load<uint16_t>(extra, at), size = load<uint16_t>(extra, at + 2);
    if (!inside(at + 4, size, extra.size())) return false;
    if (id == kZip64Extra) {
      if (found.data() != nullptr) return false;
      found = extra.subspan(at + 4, size);
    }
    at += 4u + size;
  }
  return true;
}

uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

ZipArchive::ZipArchive(const Input& input, Budget& budget) : input_(input) {
  read_directory(find_directory(), budget);
  sort_names();
}

ZipArchive::Directory ZipArchive::find_directory() const {
  const auto& bytes = input_.bytes;
  const uint64_t total = bytes.size();
  if (total < kEndSize) throw fail(total, "the zip archive is cut: it has no end record");
  const uint64_t lowest = total > kEndSize + kMax16 ? total - kEndSize - kMax16 : 0;
  uint64_t at = total - kEndSize;
  while (load<uint32_t>(bytes, at) != kEndSignature) {
    if (at == lowest) throw fail(total, "the zip archive is cut: it has no end record");
    --at;
  }
  if (at + kEndSize + load<uint16_t>(bytes, at + 20) != total)
    throw fail(at, "the zip comment does not end with the file");
  const auto disk = load<uint16_t>(bytes, at + 4), start_disk = load<uint16_t>(bytes, at + 6);
  if (disk != 0 || start_disk != 0) throw fail(at, "the zip archive is split over several files");
  if (load<uint16_t>(bytes, at + 8) != load<uint16_t>(bytes, at + 10))
    throw fail(at, "the zip end record contradicts itself about the number of entries");
  Directory directory{load<uint32_t>(bytes, at + 16), load<uint32_t>(bytes, at + 12),
                      load<uint16_t>(bytes, at + 10)};
  uint64_t end = at;
  if (at >= kLocatorSize && load<uint32_t>(bytes, at - kLocatorSize) == kLocatorSignature) {
    end = load<uint64_t>(bytes, at - kLocatorSize + 8);
    directory = read_zip64_end(at - kLocatorSize, directory);
  }
  if (!inside(directory.offset, directory.size, end) || directory.offset + directory.size != end)
    throw fail(at,
               "the zip central directory ({} bytes at {}) does not end where its end record "
               "starts ({})",
               directory.size, directory.offset, end);
  return directory;
}

ZipArchive::Directory ZipArchive::read_zip64_end(uint64_t locator, const Directory& plain) const {
  const auto& bytes = input_.bytes;
  const auto at = load<uint64_t>(bytes, locator + 8);
  if (load<uint32_t>(bytes, locator + 4) != 0 || load<uint32_t>(bytes, locator + 16) > 1)
    throw fail(locator, "the zip archive is split over several files");
  if (!inside(at, kEnd64Size, locator) || load<uint32_t>(bytes, at) != kEnd64Signature)
    throw fail(locator, "the zip64 locator points to no zip64 end record ({})", at);
  if (load<uint64_t>(bytes, at + 4) != locator - at - 12)
    throw fail(at, "the zip64 end record has a wrong size");
  if (load<uint32_t>(bytes, at + 16) != 0 || load<uint32_t>(bytes, at + 20) != 0)
    throw fail(at, "the zip archive is split over several files");
  const Directory directory{load<uint64_t>(bytes, at + 48), load<uint64_t>(bytes, at + 40),
                            load<uint64_t>(bytes, at + 32)};
  const auto agrees = [](uint64_t small, uint64_t limit, uint64_t large) {
    return small == limit || small == large;
  };
  if (load<uint64_t>(bytes, at + 24) != directory.count ||
      !agrees(plain.count, kMax16, directory.count) ||
      !agrees(plain.size, kMax32, directory.size) ||
      !agrees(plain.offset, kMax32, directory.offset))
    throw fail(at, "the zip64 end record contradicts the plain one");
  return directory;
}

void ZipArchive::read_directory(const Directory& directory, Budget& budget) {
  const auto end = directory.offset + directory.size;
  if (directory.count > directory.size / kCentralSize)
    throw fail(directory.offset, "the zip directory has no room for {} entries", directory.count);
  std::vector<std::pair<uint64_t, uint64_t>> extents;
  budget.take(directory.count * (sizeof(ZipEntry) + 16) + directory.size, "the zip directory");
  entries_.reserve(directory.count);
  extents.reserve(directory.count);
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.count; ++i) {
    auto& entry = entries_.emplace_back();
    const auto flags = inside(at, kCentralSize, end) ? load<uint16_t>(input_.bytes, at + 8) : 0;
    at = read_central_entry(at, end, entry);
    extents.emplace_back(entry.header, check_local_header(entry, static_cast<uint16_t>(flags)));
  }
  if (at != end)
    throw fail(at, "the zip directory holds more than the {} entries of its end record",
               directory.count);
  check_layout(extents, directory);
}

uint64_t ZipArchive::read_central_entry(uint64_t at, uint64_t end, ZipEntry& entry) {
  const auto& bytes = input_.bytes;
  if (!inside(at, kCentralSize, end) || load<uint32_t>(bytes, at) != kCentralSignature)
    throw fail(at, "no zip directory entry stands here");
  const auto name_size = load<uint16_t>(bytes, at + 28);
  const auto extra_size = load<uint16_t>(bytes, at + 30);
  const uint64_t size = kCentralSize + name_size + extra_size + load<uint16_t>(bytes, at + 32);
  if (!inside(at, size, end)) throw fail(at, "the zip directory entry is cut");
  entry.name = text_of(bytes.subspan(at + kCentralSize, name_size));
  check_name(at + kCentralSize, entry.name);
  const auto flags = load<uint16_t>(bytes, at + 8), method = load<uint16_t>(bytes, at + 10);
  if ((flags & ~kKnownFlags) != 0)
    throw fail(at, "entry \"{}\" is encrypted or needs another unknown feature (flags {:#06x})",
               entry.name, flags);
  if (method != 0 && method != Z_DEFLATED)
    throw fail(at, "entry \"{}\" has compression method {}; only stored and deflated are read",
               entry.name, method);
  entry.deflated = method != 0;
  entry.crc = load<uint32_t>(bytes, at + 16);
  entry.stored_size = load<uint32_t>(bytes, at + 20);
  entry.size = load<uint32_t>(bytes, at + 24);
  entry.header = load<uint32_t>(bytes, at + 42);
  read_central_zip64(at + kCentralSize + name_size, extra_size, entry,
                     load<uint16_t>(bytes, at + 34));
  if (!entry.deflated && entry.size != entry.stored_size)
    throw fail(at, "stored entry \"{}\" has two sizes, {} and {}", entry.name, entry.stored_size,
               entry.size);
  if (entry.deflated && entry.size / kMaxDeflateRatio > entry.stored_size)
    throw fail(at, "entry \"{}\" cannot inflate from {} to {} bytes", entry.name, entry.stored_size,
               entry.size);
  return at + size;
}

void ZipArchive::read_central_zip64(uint64_t at, uint64_t size, ZipEntry& entry,
                                    uint16_t disk) const {
  std::span<const std::byte> zip64;
  if (!find_zip64_extra(input_.bytes.subspan(at, size), zip64))
    throw fail(at, "the extra field of entry \"{}\" is malformed", entry.name);
  uint64_t used = 0;
  for (uint64_t* field : {&entry.size, &entry.stored_size, &entry.header}) {
    if (*field != kMax32) continue;
    if (!inside(used, 8, zip64.size()))
      throw fail(at, "the zip64 field of entry \"{}\" is too short", entry.name);
    *field = load<uint64_t>(zip64, used);
    used += 8;
  }
  uint64_t disk_number = disk;
  if (disk == kMax16 && inside(used, 4, zip64.size())) disk_number = load<uint32_t>(zip64, used);
  if (disk_number != 0)
    throw fail(at, "entry \"{}\" lies in another part of a split archive", entry.name);
}

void ZipArchive::check_name(uint64_t offset, std::string_view name) const {
  const auto printable = find_invalid_utf8(name) == name.npos && name.find('\0') == name.npos;
  if (!printable) throw fail(offset, "a zip entry has a name that is no UTF-8 text");
  const bool drive = name.size() > 1 && name[1] == ':';
  if (name.empty() || name[0] == '/' || drive || name.find('\\') != name.npos)
    throw fail(offset, "zip entry \"{}\" has no relative path as its name", name);
  for (size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    if (part == "." || part == ".." || (part.empty() && begin != name.size()))
      throw fail(offset, "zip entry \"{}\" has a path that is not plain", name);
    begin = end + 1;
  }
}

uint64_t ZipArchive::check_local_header(ZipEntry& entry, uint16_t flags) const {
  const auto& bytes = input_.bytes;
  const auto at = entry.header;
  if (!inside(at, kLocalSize, bytes.size()) || load<uint32_t>(bytes, at) != kLocalSignature)
    throw fail(std::min<uint64_t>(at, bytes.size()), "entry \"{}\" has no local header here",
               entry.name);
  const auto name_size = load<uint16_t>(bytes, at + 26),
             extra_size = load<uint16_t>(bytes, at + 28);
  entry.data = at + kLocalSize + name_size + extra_size;
  if (!inside(at, kLocalSize + name_size + extra_size, bytes.size()) ||
      !inside(entry.data, entry.stored_size, bytes.size()))
    throw fail(at, "entry \"{}\" ({} bytes) runs beyond the end of the file", entry.name,
               entry.stored_size);
  if (text_of(bytes.subspan(at + kLocalSize, name_size)) != entry.name ||
      load<uint16_t>(bytes, at + 6) != flags ||
      load<uint16_t>(bytes, at + 8) != (entry.deflated ? Z_DEFLATED : 0))
    throw fail(at, "the local header of entry \"{}\" contradicts the directory", entry.name);
  std::span<const std::byte> zip64;
  if (!find_zip64_extra(bytes.subspan(at + kLocalSize + name_size, extra_size), zip64))
    throw fail(at, "the extra field of entry \"{}\" is malformed", entry.name);
  uint64_t stored_size = load<uint32_t>(bytes, at + 18), size = load<uint32_t>(bytes, at + 22);
  uint64_t used = 0;
  for (uint64_t* field : {&size, &stored_size})
    if (*field == kMax32 && inside(used, 8, zip64.size())) {
      *field = load<uint64_t>(zip64, used);
      used += 8;
    }
  const auto crc = load<uint32_t>(bytes, at + 14);
  const bool later = (flags & kDescriptorFlag) != 0;
  const auto agrees = [later](uint64_t local, uint64_t central) {
    return local == central || (later && local == 0);
  };
  if (!agrees(crc, entry.crc) || !agrees(size, entry.size) ||
      !agrees(stored_size, entry.stored_size))
    throw fail(at, "the local header of entry \"{}\" contradicts the directory", entry.name);
  return later ? check_descriptor(entry) : entry.data + entry.stored_size;
}

uint64_t ZipArchive::check_descriptor(const ZipEntry& entry) const {
  const auto& bytes = input_.bytes;
  const auto begin = entry.data + entry.stored_size;
  // Without its optional signature a descriptor cannot be told from what follows.
  if (!inside(begin, 4, bytes.size()) || load<uint32_t>(bytes, begin) != kDescriptorSignature)
    return begin;
  const auto at = begin + 4;
  if (inside(at, 12, bytes.size()) && load<uint32_t>(bytes, at) == entry.crc &&
      load<uint32_t>(bytes, at + 4) == entry.stored_size &&
      load<uint32_t>(bytes, at + 8) == entry.size)
    return at + 12;
  if (inside(at, 20, bytes.size()) && load<uint32_t>(bytes, at) == entry.crc &&
      load<uint64_t>(bytes, at + 4) == entry.stored_size &&
      load<uint64_t>(bytes, at + 12) == entry.size)
    return at + 20;
  throw fail(begin, "the data descriptor of entry \"{}\" contradicts the directory", entry.name);
}

void ZipArchive::check_layout(const std::vector<std::pair<uint64_t, uint64_t>>& extents,
                              const Directory& directory) const {
  std::vector<uint32_t> order(extents.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, {}, [&](uint32_t i) { return extents[i]; });
  for (size_t i = 0; i < order.size(); ++i) {
    const auto& [begin, end] = extents[order[i]];
    const auto limit = i + 1 < order.size() ? extents[order[i + 1]].first : directory.offset;
    if (end > limit)
      throw fail(begin, "entry \"{}\" overlaps what follows it", entries_[order[i]].name);
  }
}

void ZipArchive::sort_names() {
  by_name_.resize(entries_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  const auto name = [&](uint32_t i) -> const std::string& { return entries_[i].name; };
  std::ranges::sort(by_name_, {}, name);
  const auto same = std::ranges::adjacent_find(by_name_, {}, name);
  if (same != by_name_.end())
    throw fail(entries_[*same].header, "two zip entries are called \"{}\"", name(*same));
  if (std::erase_if(entries_, [](const ZipEntry& entry) { return entry.name.back() == '/'; }) > 0)
    sort_names();
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto it = std::ranges::lower_bound(
      by_name_, name, {}, [&](uint32_t i) -> std::string_view { return entries_[i].name; });
  return it != by_name_.end() && entries_[*it].name == name ? &entries_[*it] : nullptr;
}

ZipData ZipArchive::read(const ZipEntry& entry, Budget& budget) const {
  const auto stored = input_.bytes.subspan(entry.data, entry.stored_size);
  if (!entry.deflated) return {stored, input_.owner};
  budget.take(entry.size, fmt::format("entry \"{}\"", entry.name));
  // One byte more than declared, so that a longer stream shows.
  auto buffer = std::make_shared<std::vector<std::byte>>(entry.size + 1);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw resource_error("zlib cannot start");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> closer(&stream, inflateEnd);
  uint64_t taken = 0, made = 0;
  int status = Z_OK;
  constexpr uint64_t kPiece = 1u << 30;  // zlib counts in 32 bits
  while (status == Z_OK) {
    const auto in = std::min(kPiece, stored.size() - taken);
    const auto out = std::min(kPiece, buffer->size() - made);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stored.data() + taken));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(buffer->data() + made);
    stream.avail_out = static_cast<uInt>(out);
    status = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += out - stream.avail_out;
  }
  if (status != Z_STREAM_END || taken != stored.size() || made != entry.size)
    throw fail(entry.data, "entry \"{}\" does not inflate to the {} bytes that it declares",
               entry.name, entry.size);
  const auto bytes = std::span<const std::byte>(*buffer).first(entry.size);
  if (crc_of(bytes) != entry.crc)
    throw fail(entry.data, "the checksum of entry \"{}\" is wrong: the file is damaged",
               entry.name);
  return {bytes, std::move(buffer)};
}

void ZipArchive::verify(const ZipEntry& entry) const {
  if (!entry.deflated && crc_of(input_.bytes.subspan(entry.data, entry.size)) != entry.crc)
    throw fail(entry.data, "the checksum of entry \"{}\" is wrong: the file is damaged",
               entry.name);
}

ZipData ZipArchive::read_verified(const ZipEntry& entry, Budget& budget) const {
  verify(entry);
  return read(entry, budget);
}

}  // namespace saccade::checkpoint
