#include "saccade/checkpoint/npy_reader.h"

#include <algorithm>
#include <charconv>

#include "saccade/base/utf8.h"
#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/common/numpy_type.h"
#include "saccade/checkpoint/common/shapes.h"
#include "saccade/checkpoint/zip_reader.h"

namespace saccade::checkpoint {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kMaxHeader = 10'000;  // as numpy itself

/// The three fields of the header, a Python dictionary literal.
struct Header {
  std::string_view descr;
  bool fortran_order = false;
  Shape shape;
};

/// Reads exactly what numpy writes: a dictionary with the three keys, plain strings, True and
/// False, decimal numbers, one tuple. No other Python.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view file, uint64_t origin)
      : text_(text), file_(file), origin_(origin) {}

  Header run() {
    expect('{');
    while (!accept('}')) {
      field();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) throw fail("something follows the header's dictionary");
    if (!has_descr_ || !has_order_ || !has_shape_)
      throw fail("the header lacks descr, fortran_order or shape");
    return header_;
  }

 private:
  template <class... Args>
  [[nodiscard]] Error fail(fmt::format_string<Args...> text, Args&&... args) const {
    return input_error_at(file_, origin_ + at_, text, std::forward<Args>(args)...);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
      ++at_;
  }

  bool accept(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) throw fail("the header is no plain dictionary: '{}' is expected", c);
  }

  std::string_view string() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"')
      throw fail("the header is no plain dictionary: a text is expected");
    const auto start = ++at_;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\\' && text_[at_] >= ' ')
      ++at_;
    if (at_ == text_.size() || text_[at_] != quote) throw fail("a text in the header is not plain");
    return text_.substr(start, at_++ - start);
  }

  void once(bool& seen, std::string_view key) const {
    if (std::exchange(seen, true)) throw fail("the header has two fields '{}'", key);
  }

  void field() {
    const auto key = string();
    expect(':');
    if (key == "descr") {
      once(has_descr_, key);
      header_.descr = string();
    } else if (key == "fortran_order") {
      once(has_order_, key);
      header_.fortran_order = boolean();
    } else if (key == "shape") {
      once(has_shape_, key);
      shape();
    } else {
      throw fail("the header has the unknown field '{}'", key.substr(0, 40));
    }
  }

  bool boolean() {
    skip_space();
    for (const std::string_view word : {"True", "False"})
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return word == "True";
      }
    throw fail("fortran_order is neither True nor False");
  }

  void shape() {
    expect('(');
    while (!accept(')')) {
      header_.shape.push_back(size());
      if (header_.shape.size() > kMaxRank)
        throw fail("the array has more than {} dimensions", kMaxRank);
      if (!accept(',')) {
        if (header_.shape.size() == 1) throw fail("the shape is no tuple");
        expect(')');
        break;
      }
    }
  }

  int64_t size() {
    skip_space();
    const auto rest = text_.substr(at_);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    const auto length = static_cast<size_t>(end - rest.data());
    if (error != std::errc{} || value < 0 || rest[0] == '-' || (length > 1 && rest[0] == '0'))
      throw fail("the shape holds something that is no size");
    at_ += length;
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2
    return value;
  }

  std::string_view text_, file_;
  uint64_t origin_;
  size_t at_ = 0;
  Header header_;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
};

/// The header's text; `data` is set to where the array starts.
std::string_view find_header(const Input& input, uint64_t origin, uint64_t& data) {
  const auto& bytes = input.bytes;
  if (!looks_like_npy(bytes) || bytes.size() < 10)
    throw input_error_at(input.file, origin, "no npy array: the magic string is missing");
  const auto major = std::to_integer<int>(bytes[6]), minor = std::to_integer<int>(bytes[7]);
  if (major < 1 || major > 3 || minor != 0)
    throw input_error_at(input.file, origin + 6, "npy format version {}.{} is unknown", major,
                         minor);
  const uint64_t start = major == 1 ? 10 : 12;
  if (bytes.size() < start)
    throw input_error_at(input.file, origin + bytes.size(), "the npy header is cut");
  const uint64_t length = major == 1 ? load<uint16_t>(bytes, 8) : load<uint32_t>(bytes, 8);
  if (length > kMaxHeader || !inside(start, length, bytes.size()))
    throw input_error_at(input.file, origin + 8,
                         "the npy header of {} bytes is cut or longer than {}", length, kMaxHeader);
  data = start + length;
  const auto text = text_of(bytes.subspan(start, length));
  if (major == 3)
    if (const auto bad = find_invalid_utf8(text); bad != text.npos)
      throw input_error_at(input.file, origin + start + bad, "the npy header is no UTF-8");
  return text;
}

/// Arrays of texts, bytes, objects, times and records: well-formed, but no tensors.
bool is_other_type(std::string_view descr) {
  constexpr std::string_view kKinds = "USVOMma";
  return descr.size() >= 2 && std::string_view("<>|=").find(descr[0]) != descr.npos &&
         kKinds.find(descr[1]) != kKinds.npos;
}

}  // namespace

bool looks_like_npy(std::span<const std::byte> bytes) { return text_of(bytes).starts_with(kMagic); }

std::optional<Entry> parse_npy(const Input& input, uint64_t origin, Budget& budget,
                               std::string* skipped) {
  uint64_t data = 0;
  const auto text = find_header(input, origin, data);
  const auto header = HeaderParser(text, input.file, origin + data - text.size()).run();
  const auto descr = parse_numpy_descr(header.descr);
  if (!descr) {
    const bool object = header.descr.find('O') != header.descr.npos;
    if (skipped == nullptr || object || !is_other_type(header.descr))
      throw input_error_at(input.file, origin + data - text.size(),
                           "an array of type '{}' is no tensor{}", header.descr.substr(0, 40),
                           object ? " (it holds pickled objects, which are never read)" : "");
    *skipped = header.descr.substr(0, 40);
    return std::nullopt;
  }
  const auto size = byte_size(descr->dtype, header.shape);
  if (!size || static_cast<uint64_t>(*size) != input.bytes.size() - data)
    throw input_error_at(input.file, origin + data,
                         "an array of type '{}' and shape {} has {} bytes of data", header.descr,
                         to_string(header.shape), input.bytes.size() - data);
  Entry entry;
  entry.numpy = true;
  entry.owner = input.owner;
  entry.view = {
      descr->dtype, header.shape,
      header.fortran_order ? fortran_strides(header.shape) : contiguous_strides(header.shape),
      input.bytes.subspan(data)};
  if (descr->big_endian && bits(descr->dtype) > 8) {
    budget.take(static_cast<uint64_t>(*size), "a big-endian array");
    auto buffer =
        std::make_shared<std::vector<std::byte>>(entry.view.bytes.begin(), entry.view.bytes.end());
    const bool complex = descr->dtype == DType::C64 || descr->dtype == DType::C128;
    swap_bytes(*buffer, static_cast<size_t>(bytes(descr->dtype)) / (complex ? 2 : 1));
    entry.view.bytes = *buffer;
    entry.owner = std::move(buffer);
  }
  return entry;
}

Contents read_npy(const Input& input) {
  Budget budget(input.file, input.bytes.size(), input.slack);
  Contents contents;
  contents.format = "npy";
  auto entry = parse_npy(input, 0, budget, nullptr);
  entry->path = "tensor";
  contents.entries.push_back(std::move(*entry));
  return contents;
}

Contents read_npz(const Input& input) {
  constexpr std::string_view kSuffix = ".npy";
  Budget budget(input.file, input.bytes.size(), input.slack);
  const auto zip = std::make_shared<ZipArchive>(input, budget);
  Contents contents;
  contents.format = "npz";
  for (const auto& member : zip->entries()) {
    if (!member.name.ends_with(kSuffix) || member.name.size() == kSuffix.size())
      throw input_error_at(input.file, member.header, "zip entry \"{}\" is no array of an npz",
                           member.name);
    const auto data = zip->read(member, budget);
    budget.take(2 * (sizeof(Entry) + member.name.size()) + 128, "the list of arrays");
    auto path = member.name.substr(0, member.name.size() - kSuffix.size());
    const auto label = fmt::format("{} (entry \"{}\"{})", input.file, member.name,
                                   member.deflated ? ", inflated" : "");
    std::string skipped;
    auto entry = parse_npy({data.bytes, label, data.owner}, member.deflated ? 0 : member.data,
                           budget, &skipped);
    if (!entry) {
      contents.left_out.push_back(
          {std::move(path), fmt::format("an array of type '{}', no tensor", skipped)});
      continue;
    }
    entry->path = std::move(path);
    contents.entries.push_back(std::move(*entry));
  }
  contents.verify = [zip] {
    for (const auto& member : zip->entries()) zip->verify(member);
  };
  return contents;
}

}  // namespace saccade::checkpoint
