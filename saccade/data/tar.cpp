#include "saccade/data/tar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "saccade/base/error.h"
#include "saccade/base/file.h"

namespace saccade::data {
namespace {

constexpr uint64_t kBlock = 512;
constexpr uint64_t kMaxRecords = 1 << 20;  // bytes of one pax header or long name

/// What pax records and GNU long names say about the member that follows them.
struct Overrides {
  std::optional<std::string> name;
  std::optional<uint64_t> size;
};

/// Walks the headers of an archive and sorts its members by kind.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::string file)
      : bytes_(bytes), file_(std::move(file)) {}

  void read();

  std::vector<TarMember> members;
  std::vector<std::string> folders;
  std::vector<std::string> skipped;

 private:
  template <class... Args>
  [[noreturn]] void fail(uint64_t offset, fmt::format_string<Args...> text, Args&&... args) const {
    throw input_error_at(file_, offset, "{}", fmt::format(text, std::forward<Args>(args)...));
  }

  [[nodiscard]] std::string_view text(uint64_t offset, uint64_t size) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + offset, size};
  }
  /// A field up to its first NUL.
  [[nodiscard]] std::string_view field(uint64_t at, uint64_t size) const {
    const auto all = text(offset_ + at, size);
    return all.substr(0, all.find('\0'));
  }

  void refuse_compressed() const;
  [[nodiscard]] bool end_mark() const;
  [[nodiscard]] uint64_t number(uint64_t at, uint64_t size, std::string_view what) const;
  void check_sum() const;
  [[nodiscard]] std::string header_name() const;
  [[nodiscard]] std::string clean_name(std::string_view name) const;
  void read_records(std::string_view records, uint64_t at, bool applies);
  void read_member(char type, std::span<const std::byte> data);
  [[nodiscard]] bool read_extension(char type, std::string_view data, uint64_t at);

  std::span<const std::byte> bytes_;
  std::string file_;
  uint64_t offset_ = 0;  // of the header that is being read
  Overrides overrides_;
};

void Reader::refuse_compressed() const {
  struct Magic {
    std::string_view bytes, name;
  };
  static constexpr std::array<Magic, 4> kMagics{{{"\x1f\x8b", "gzip"},
                                                 {"BZh", "bzip2"},
                                                 {"\xfd"
                                                  "7zXZ",
                                                  "xz"},
                                                 {"\x28\xb5\x2f\xfd", "zstd"}}};
  for (const auto& magic : kMagics)
    if (text(0, bytes_.size()).starts_with(magic.bytes))
      throw unsupported_error(
          "{}: a tar compressed with {}; members are read in place, so unpack it to a plain tar",
          file_, magic.name);
}

bool Reader::end_mark() const {
  return std::ranges::all_of(bytes_.subspan(offset_, kBlock),
                             [](std::byte b) { return b == std::byte{0}; });
}

/// Octal digits between blanks, or base 256 where the first bit is set (GNU).
uint64_t Reader::number(uint64_t at, uint64_t size, std::string_view what) const {
  const auto raw = text(offset_ + at, size);
  const auto first = static_cast<unsigned char>(raw[0]);
  if (first & 0x80) {
    if (first != 0x80) fail(offset_ + at, "the {} is negative or beyond 64 bits", what);
    uint64_t value = 0;
    for (const unsigned char c : raw.substr(1)) {
      if (value >> 55) fail(offset_ + at, "the {} is beyond 63 bits", what);
      value = value << 8 | c;
    }
    return value;
  }
  auto digits = raw.substr(0, raw.find('\0'));
  while (digits.starts_with(' ')) digits.remove_prefix(1);
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (!digits.empty() && (error != std::errc{} || end != digits.data() + digits.size()))
    fail(offset_ + at, "the {} is no octal number", what);
  return value;
}

/// The sum of the header's bytes with blanks in place of the sum; old writers used signed bytes.
void Reader::check_sum() const {
  constexpr uint64_t kSumAt = 148, kSumSize = 8;
  const auto stored = static_cast<int64_t>(number(kSumAt, kSumSize, "header sum"));
  int64_t as_unsigned = 0, as_signed = 0;
  for (uint64_t i = 0; i < kBlock; ++i) {
    const bool inside = i >= kSumAt && i < kSumAt + kSumSize;
    const auto c = inside ? ' ' : static_cast<char>(bytes_[offset_ + i]);
    as_unsigned += static_cast<unsigned char>(c);
    as_signed += static_cast<signed char>(c);
  }
  if (stored != as_unsigned && stored != as_signed)
    fail(offset_, "the header sum is {}, its bytes give {}: no tar header, or a damaged one",
         stored, as_unsigned);
}

std::string Reader::header_name() const {
  const std::string name(field(0, 100));
  const bool posix = text(offset_ + 257, 6) == std::string_view("ustar\0", 6);
  const auto prefix = posix ? field(345, 155) : std::string_view{};
  return prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
}

/// Without "." parts and repeated slashes; refuses what points outside the archive.
std::string Reader::clean_name(std::string_view name) const {
  if (name.find('\0') != name.npos) fail(offset_, "a member name holds a NUL");
  if (name.starts_with('/')) fail(offset_, "the member name {:?} is absolute", name);
  std::string clean;
  for (size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    const auto part = name.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") fail(offset_, "the member name {:?} leaves the archive", name);
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

/// "LENGTH KEY=VALUE\n" one after the other; LENGTH counts the whole record.
void Reader::read_records(std::string_view records, uint64_t at, bool applies) {
  while (!records.empty()) {
    uint64_t length = 0;
    const auto* last = records.data() + records.size();
    const auto [end, error] = std::from_chars(records.data(), last, length);
    const auto head = static_cast<uint64_t>(end - records.data()) + 1;
    if (error != std::errc{} || end == last || *end != ' ' || length <= head ||
        length > records.size() || records[length - 1] != '\n')
      fail(at, "a pax record without a proper length");
    const auto body = records.substr(head, length - head - 1);
    const auto equals = body.find('=');
    if (equals == body.npos) fail(at, "a pax record without '='");
    const auto key = body.substr(0, equals), value = body.substr(equals + 1);
    if (key.starts_with("GNU.sparse."))
      throw unsupported_error("{}: at byte {}: sparse members are not supported", file_, at);
    if (applies && key == "path") overrides_.name = std::string(value);
    if (applies && key == "size") {
      uint64_t size = 0;
      const auto [stop, bad] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (value.empty() || bad != std::errc{} || stop != value.data() + value.size())
        fail(at, "the pax size {:?} is no number", value);
      overrides_.size = size;
    }
    records.remove_prefix(length);
    at += length;
  }
}

/// True for headers that describe the next member instead of being one.
bool Reader::read_extension(char type, std::string_view data, uint64_t at) {
  if (type != 'x' && type != 'g' && type != 'L' && type != 'K') return false;
  if (data.size() > kMaxRecords)
    fail(offset_, "an extended header of {} bytes, more than the {} that are read", data.size(),
         kMaxRecords);
  if (type == 'x' || type == 'g') read_records(data, at, type == 'x');
  if (type == 'L') overrides_.name = std::string(data.substr(0, data.find('\0')));
  return true;
}

void Reader::read_member(char type, std::span<const std::byte> data) {
  const auto raw = overrides_.name ? *overrides_.name : header_name();
  auto name = clean_name(raw);
  const bool regular = type == '0' || type == '\0' || type == '7';
  if (type == '5' || (regular && raw.ends_with('/'))) {
    if (!name.empty()) folders.push_back(std::move(name));
  } else if (!regular) {
    skipped.push_back(std::move(name));
  } else if (name.empty()) {
    fail(offset_, "a member without a name");
  } else {
    members.push_back({std::move(name), data, offset_});
  }
  overrides_ = {};
}

void Reader::read() {
  refuse_compressed();
  for (;;) {
    if (bytes_.size() - offset_ < kBlock)
      fail(offset_, "the archive stops without its end mark: it was cut off, or is no tar");
    if (end_mark()) return;
    check_sum();
    const char type = text(offset_ + 156, 1)[0];
    if (type == 'S' || type == 'M')
      throw unsupported_error("{}: at byte {}: {} members are not supported", file_, offset_,
                              type == 'S' ? "sparse" : "multi-volume");
    const uint64_t left = bytes_.size() - offset_ - kBlock;
    const bool extension = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    const auto declared = number(124, 12, "size");
    // Links and folders carry no data, whatever their size field says (POSIX).
    const bool empty = type >= '1' && type <= '6';
    const uint64_t size = empty ? 0 : extension ? declared : overrides_.size.value_or(declared);
    if (size > left)
      fail(offset_ + 124, "member {:?} claims {} bytes, {} are left in the file", header_name(),
           size, left);
    const uint64_t data = offset_ + kBlock;
    if (!read_extension(type, text(data, size), data))
      read_member(type, bytes_.subspan(data, size));
    offset_ = std::min<uint64_t>(data + (size + kBlock - 1) / kBlock * kBlock, bytes_.size());
  }
}

}  // namespace

std::shared_ptr<const TarFile> TarFile::parse(std::span<const std::byte> bytes,
                                              const std::string& file,
                                              std::shared_ptr<const void> owner) {
  Reader reader(bytes, file);
  reader.read();
  std::ranges::stable_sort(reader.members, {}, &TarMember::name);
  std::ranges::sort(reader.folders);
  std::ranges::sort(reader.skipped);
  const auto twice = std::ranges::adjacent_find(reader.members, {}, &TarMember::name);
  if (twice != reader.members.end())
    throw input_error_at(file, std::next(twice)->offset,
                         "a second member {:?}, the first is at byte {}", twice->name,
                         twice->offset);
  std::shared_ptr<TarFile> tar(new TarFile);
  tar->owner_ = std::move(owner);
  tar->members_ = std::move(reader.members);
  tar->folders_ = std::move(reader.folders);
  tar->skipped_ = std::move(reader.skipped);
  return tar;
}

std::shared_ptr<const TarFile> TarFile::open(const std::filesystem::path& path) {
  auto map = FileMap::open(path);
  return parse(map->bytes(), path.string(), map);
}

}  // namespace saccade::data
