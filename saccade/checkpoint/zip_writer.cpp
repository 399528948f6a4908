#include "saccade/checkpoint/zip_writer.h"

#include <zlib.h>

#include <algorithm>

#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/zip_format.h"

namespace saccade::checkpoint {
namespace {

using namespace zip;

constexpr uint16_t kVersion = 45;                            // zip64
constexpr uint16_t kDate = (2011 - 1980) << 9 | 1 << 5 | 1;  // a fixed one: equal input, equal file
constexpr uint16_t kFillerExtra = 0x4246;                    // "FB", as torch pads
constexpr uint64_t kAlignment = 64;

/// Collects a record of little-endian numbers.
class Record {
 public:
  template <class T>
  Record& add(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
    return *this;
  }
  Record& add_text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

uint32_t low32(uint64_t value) { return static_cast<uint32_t>(std::min<uint64_t>(value, kMax32)); }
uint16_t low16(uint64_t value) { return static_cast<uint16_t>(std::min<uint64_t>(value, kMax16)); }

}  // namespace

void ZipWriter::put(std::string_view bytes) {
  sink_(std::as_bytes(std::span(bytes)));
  at_ += bytes.size();
}

void ZipWriter::add(std::string name, std::string_view text) {
  add(std::move(name), std::as_bytes(std::span(text)));
}

void ZipWriter::add(std::string name, Parts parts) {
  uint32_t crc = 0;
  uint64_t size = 0;
  for (const auto part : parts) {
    if (part.empty()) continue;  // zlib starts anew at a null pointer
    const auto* data = reinterpret_cast<const Bytef*>(part.data());
    crc = static_cast<uint32_t>(crc32_z(crc, data, part.size()));
    size += part.size();
  }
  Record extra;
  if (size >= kMax32) extra.add(kZip64Extra).add(uint16_t{16}).add(size).add(size);
  const auto unpadded = at_ + kLocalSize + name.size() + extra.bytes().size() + 4;
  const auto padding = static_cast<uint16_t>((kAlignment - unpadded % kAlignment) % kAlignment);
  extra.add(kFillerExtra).add(padding).add_text(std::string(padding, 'Z'));
  Record header;
  header.add(kLocalSignature).add(kVersion).add(kUtf8Flag).add(uint16_t{0}).add(uint16_t{0});
  header.add(kDate).add(crc).add(low32(size)).add(low32(size));
  header.add(static_cast<uint16_t>(name.size()));
  header.add(static_cast<uint16_t>(extra.bytes().size())).add_text(name).add_text(extra.bytes());
  entries_.push_back({std::move(name), at_, size, crc});
  put(header.bytes());
  for (const auto part : parts) sink_(part);
  at_ += size;
}

void ZipWriter::put_central(const Written& entry) {
  Record extra;
  const bool large = entry.size >= kMax32, far = entry.header >= kMax32;
  if (large || far) {
    extra.add(kZip64Extra).add(static_cast<uint16_t>((large ? 16 : 0) + (far ? 8 : 0)));
    if (large) extra.add(entry.size).add(entry.size);
    if (far) extra.add(entry.header);
  }
  Record record;
  record.add(kCentralSignature).add(kVersion).add(kVersion).add(kUtf8Flag).add(uint16_t{0});
  record.add(uint16_t{0}).add(kDate).add(entry.crc).add(low32(entry.size)).add(low32(entry.size));
  record.add(static_cast<uint16_t>(entry.name.size()));
  record.add(static_cast<uint16_t>(extra.bytes().size()));
  record.add(uint16_t{0}).add(uint16_t{0}).add(uint16_t{0}).add(uint32_t{0});
  record.add(low32(entry.header)).add_text(entry.name).add_text(extra.bytes());
  put(record.bytes());
}

void ZipWriter::put_end(uint64_t directory) {
  const auto end = at_, size = at_ - directory, count = uint64_t{entries_.size()};
  Record record;
  record.add(kEnd64Signature).add(kEnd64Size - 12).add(kVersion).add(kVersion);
  record.add(uint32_t{0}).add(uint32_t{0}).add(count).add(count).add(size).add(directory);
  record.add(kLocatorSignature).add(uint32_t{0}).add(end).add(uint32_t{1});
  record.add(kEndSignature).add(uint16_t{0}).add(uint16_t{0}).add(low16(count)).add(low16(count));
  record.add(low32(size)).add(low32(directory)).add(uint16_t{0});
  put(record.bytes());
}

void ZipWriter::finish() {
  const auto directory = at_;
  for (const auto& entry : entries_) put_central(entry);
  put_end(directory);
}

}  // namespace saccade::checkpoint
