// safetensors: u64 length, JSON header, data (github.com/huggingface/safetensors, format.md).

#include <algorithm>
#include <array>
#include <numeric>

#include "saccade/base/json_events.h"
#include "saccade/checkpoint/common/budget.h"
#include "saccade/checkpoint/common/bytes.h"
#include "saccade/checkpoint/common/contents.h"
#include "saccade/checkpoint/common/shapes.h"

namespace saccade::checkpoint {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;
constexpr int kMaxDepth = 3;  // header, tensor, list
constexpr std::string_view kMetadata = "__metadata__";

/// One tensor of the header.
struct Row {
  std::string name;
  uint64_t offset = 0;  ///< of its name in the file
  DType dtype = DType::F32;
  Shape shape;
  uint64_t begin = 0, end = 0;  ///< in the data
};

/// Takes the events of the header; every value that the grammar of the format lacks is refused.
class HeaderReader : public JsonEvents {
 public:
  HeaderReader(const Input& input, Budget& budget) : input_(input), budget_(budget) {}

  std::vector<Row> rows;
  std::vector<std::pair<std::string, std::string>> metadata;

  void begin_object(uint64_t offset) override {
    if (state_ == State::start) return enter(State::header);
    if (state_ == State::tensor_value) return enter(State::field);
    if (state_ == State::metadata_value) return enter(State::metadata);
    throw unexpected(offset, "an object");
  }

  void end_object(uint64_t offset) override {
    if (state_ == State::field) finish_tensor(offset);
    state_ = state_ == State::header ? State::done : State::header;
  }

  void begin_array(uint64_t offset) override {
    if (state_ != State::shape && state_ != State::offsets) throw unexpected(offset, "a list");
    if (in_list_) throw unexpected(offset, "a list");
    in_list_ = true;
  }

  void end_array(uint64_t offset) override {
    in_list_ = false;
    if (state_ == State::offsets && offsets_ != 2)
      throw fail(offset, "data_offsets of \"{}\" has {} numbers instead of 2", name(), offsets_);
    enter(State::field);
  }

  void key(std::string key, uint64_t offset) override {
    if (state_ == State::header && key == kMetadata) {
      if (std::exchange(has_metadata_, true)) throw fail(offset, "{} twice", kMetadata);
      return enter(State::metadata_value);
    }
    if (state_ == State::header) {
      budget_.take(key.size() + 2 * sizeof(Row) + 2 * sizeof(Entry) + 128, "the header");
      rows.push_back({std::move(key), offset, DType::F32, {}, 0, 0});
      seen_.fill(false);
      return enter(State::tensor_value);
    }
    if (state_ == State::metadata) {
      budget_.take(key.size() + 192, "the header");
      metadata.emplace_back(std::move(key), std::string());
      return enter(State::metadata_text);
    }
    enter_field(key, offset);
  }

  void string(std::string value, uint64_t offset) override {
    if (state_ == State::metadata_text) {
      budget_.take(2 * value.size(), "the header");
      metadata.back().second = std::move(value);
      return enter(State::metadata);
    }
    if (state_ != State::dtype) throw unexpected(offset, "a text");
    const auto dtype = parse_dtype(value);
    if (!dtype || *dtype == DType::C128)  // the format has no code for complex doubles
      throw fail(offset, "tensor \"{}\" has the unknown dtype \"{}\"", name(), value.substr(0, 40));
    rows.back().dtype = *dtype;
    enter(State::field);
  }

  void number(std::string_view text, bool integer, uint64_t offset) override {
    uint64_t value = 0;
    if (!in_list_ || !integer || !parse_unsigned(text, value))
      throw fail(offset, "\"{}\" has {} where a size below 2^64 is expected", name(),
                 text.substr(0, 40));
    state_ == State::shape ? add_size(value, offset) : add_offset(value, offset);
  }

  void boolean(bool, uint64_t offset) override { throw unexpected(offset, "a bool"); }

  void null(uint64_t offset) override {
    if (state_ != State::metadata_value) throw unexpected(offset, "null");
    enter(State::header);
  }

 private:
  enum class State {
    start,
    header,          ///< a tensor's name or __metadata__ comes next
    tensor_value,    ///< the object of a tensor
    field,           ///< a field of it
    dtype,           ///< a text
    shape,           ///< a list
    offsets,         ///< a list
    metadata_value,  ///< an object (or null)
    metadata,        ///< a key of it
    metadata_text,   ///< a text
    done
  };

  template <class... Args>
  [[nodiscard]] Error fail(uint64_t offset, fmt::format_string<Args...> text,
                           Args&&... args) const {
    return input_error_at(input_.file, offset, text, std::forward<Args>(args)...);
  }

  [[nodiscard]] Error unexpected(uint64_t offset, std::string_view what) const {
    return fail(offset, "{} has no place here in the header (near \"{}\")", what, name());
  }

  [[nodiscard]] std::string_view name() const {
    if (state_ >= State::metadata_value || rows.empty()) return kMetadata;
    return std::string_view(rows.back().name).substr(0, 200);
  }

  void enter(State state) { state_ = state; }

  void enter_field(std::string_view field, uint64_t offset) {
    constexpr std::array<std::string_view, 3> kFields{"dtype", "shape", "data_offsets"};
    constexpr std::array kStates{State::dtype, State::shape, State::offsets};
    const auto index = static_cast<size_t>(std::ranges::find(kFields, field) - kFields.begin());
    if (index == kFields.size())
      throw fail(offset, "tensor \"{}\" has the unknown field \"{}\"", name(), field.substr(0, 40));
    if (std::exchange(seen_[index], true))
      throw fail(offset, "tensor \"{}\" has two fields \"{}\"", name(), field);
    offsets_ = 0;
    enter(kStates[index]);
  }

  void add_size(uint64_t value, uint64_t offset) {
    auto& shape = rows.back().shape;
    if (shape.size() == kMaxRank)
      throw fail(offset, "tensor \"{}\" has more than {} dimensions", name(), kMaxRank);
    if (value > uint64_t{INT64_MAX})
      throw fail(offset, "tensor \"{}\" has a dimension of {}", name(), value);
    budget_.take(32, "the header");
    shape.push_back(static_cast<int64_t>(value));
  }

  void add_offset(uint64_t value, uint64_t offset) {
    if (offsets_ == 2) throw fail(offset, "data_offsets of \"{}\" has more than 2 numbers", name());
    (offsets_++ == 0 ? rows.back().begin : rows.back().end) = value;
  }

  void finish_tensor(uint64_t offset) {
    if (!seen_[0] || !seen_[1] || !seen_[2])
      throw fail(offset, "tensor \"{}\" lacks dtype, shape or data_offsets", name());
    const auto& row = rows.back();
    const auto size = byte_size(row.dtype, row.shape);
    if (!size)
      throw fail(row.offset, "tensor \"{}\" of shape {} has no size in 63 bits", name(),
                 to_string(row.shape));
    if (row.end < row.begin || row.end - row.begin != static_cast<uint64_t>(*size))
      throw fail(row.offset, "tensor \"{}\" ({} {}, {} bytes) has data_offsets [{}, {})", name(),
                 saccade::name(row.dtype), to_string(row.shape), *size, row.begin, row.end);
  }

  const Input& input_;
  Budget& budget_;
  State state_ = State::start;
  std::array<bool, 3> seen_{};  ///< dtype, shape, data_offsets of the open tensor
  size_t offsets_ = 0;
  bool in_list_ = false;
  bool has_metadata_ = false;
};

void check_names(const std::vector<Row>& rows, const Input& input) {
  std::vector<uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto name = [&](uint32_t i) -> const std::string& { return rows[i].name; };
  std::ranges::stable_sort(order, {}, name);
  const auto same = std::ranges::adjacent_find(order, {}, name);
  if (same != order.end())
    throw input_error_at(input.file, rows[*std::next(same)].offset, "tensor \"{}\" twice",
                         name(*same));
}

/// The ranges must follow one another without holes, from 0 to the end of the file.
void check_ranges(const std::vector<Row>& rows, uint64_t data_size, const Input& input) {
  std::vector<uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, {}, [&](uint32_t i) { return std::pair(rows[i].begin, rows[i].end); });
  uint64_t at = 0;
  for (const auto i : order) {
    const auto& row = rows[i];
    if (row.begin != at)
      throw input_error_at(input.file, row.offset,
                           "tensor \"{}\" starts at byte {} of the data, {} was expected ({})",
                           row.name.substr(0, 200), row.begin, at,
                           row.begin < at ? "an overlap" : "a hole");
    at = row.end;
  }
  if (at != data_size)
    throw input_error_at(input.file, input.bytes.size(),
                         "the tensors need {} bytes of data, the file has {}: it is {}", at,
                         data_size, at > data_size ? "cut" : "longer than its header says");
}

void check_metadata(std::vector<std::pair<std::string, std::string>>& metadata, const Input& input,
                    Json& json) {
  std::vector<uint32_t> order(metadata.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto key = [&](uint32_t i) -> const std::string& { return metadata[i].first; };
  std::ranges::sort(order, {}, key);
  const auto same = std::ranges::adjacent_find(order, {}, key);
  if (same != order.end())
    throw input_error(input.file, "metadata key \"{}\" twice", key(*same).substr(0, 200));
  auto& object = json.get_ref<Json::object_t&>();
  for (auto& [name, value] : metadata)
    static_cast<Json::object_t::Container&>(object).emplace_back(std::move(name), std::move(value));
}

}  // namespace

Contents read_safetensors(const Input& input) {
  const uint64_t total = input.bytes.size();
  if (total < 8)
    throw input_error_at(input.file, total, "too short for a safetensors file ({} bytes)", total);
  const auto length = load<uint64_t>(input.bytes, 0);
  if (length > kMaxHeader || length > total - 8)
    throw input_error_at(input.file, 0,
                         "no safetensors file, or a cut one: its header would have {} bytes of {} "
                         "(at most {})",
                         length, total, kMaxHeader);
  Budget budget(input.file, total, input.slack);
  HeaderReader header(input, budget);
  parse_json_events(text_of(input.bytes.subspan(8, length)), {input.file, 8, kMaxDepth}, header);
  check_names(header.rows, input);
  const auto data = input.bytes.subspan(8 + length);
  check_ranges(header.rows, data.size(), input);
  Contents contents;
  contents.format = "safetensors";
  contents.entries.reserve(header.rows.size());
  for (auto& row : header.rows) {
    auto& entry = contents.entries.emplace_back();
    entry.path = std::move(row.name);
    auto strides = contiguous_strides(row.shape);
    entry.view = {row.dtype, std::move(row.shape), std::move(strides),
                  data.subspan(row.begin, row.end - row.begin)};
    entry.owner = input.owner;
  }
  check_metadata(header.metadata, input, contents.metadata);
  return contents;
}

}  // namespace saccade::checkpoint
