#include "saccade/image/exif.h"

#include <cstdint>

namespace saccade::image {
namespace {

/// Reads numbers of either byte order; nothing beyond the end.
class TiffReader {
 public:
  TiffReader(std::span<const std::byte> bytes, bool big_endian)
      : bytes_(bytes), big_endian_(big_endian) {}

  [[nodiscard]] std::optional<uint32_t> number(uint64_t offset, int size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < static_cast<uint64_t>(size)) return {};
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const auto at = offset + (big_endian_ ? i : size - 1 - i);
      value = value << 8 | std::to_integer<uint32_t>(bytes_[at]);
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool big_endian_;
};

constexpr uint32_t kOrientationTag = 0x0112;

/// Bytes of one value of a TIFF type that holds small numbers; 0 for the others.
int type_size(uint32_t type) {
  switch (type) {
    case 1: return 1;  // BYTE
    case 3: return 2;  // SHORT
    case 4: return 4;  // LONG
    default: return 0;
  }
}

}  // namespace

std::optional<int> exif_orientation(std::span<const std::byte> tiff) {
  if (tiff.size() < 8) return {};
  const bool little = tiff[0] == std::byte{'I'} && tiff[1] == std::byte{'I'};
  const bool big = tiff[0] == std::byte{'M'} && tiff[1] == std::byte{'M'};
  const TiffReader reader(tiff, big);
  if ((!little && !big) || reader.number(2, 2) != 42u) return {};
  const uint64_t directory = *reader.number(4, 4);
  const uint32_t entries = reader.number(directory, 2).value_or(0);
  for (uint32_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + uint64_t{12} * i;
    const auto tag = reader.number(entry, 2);
    if (!tag) return {};
    if (*tag != kOrientationTag) continue;
    const int size = type_size(reader.number(entry + 2, 2).value_or(0));
    if (size == 0 || reader.number(entry + 4, 4) != 1u) return {};
    const auto value = reader.number(entry + 8, size);
    if (!value || *value > 8) return {};
    return static_cast<int>(*value);
  }
  return {};
}

std::optional<int> xmp_orientation(std::string_view packet) {
  constexpr std::string_view key = "tiff:Orientation";
  for (size_t at = packet.find(key); at != packet.npos; at = packet.find(key, at + 1)) {
    std::string_view rest = packet.substr(at + key.size());
    if (rest.starts_with("=\""))
      rest.remove_prefix(2);
    else if (rest.starts_with(">"))
      rest.remove_prefix(1);
    else
      continue;
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return rest[0] - '0';
  }
  return {};
}

}  // namespace saccade::image
