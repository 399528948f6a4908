#include <cstring>

#include "saccade/base/check.h"
#include "saccade/base/file.h"
#include "saccade/base/sha256.h"
#include "saccade/plan/constant_pool.h"
#include "saccade/plan/crc32c.h"
#include "saccade/plan/encode.h"
#include "saccade/plan/layout.h"
#include "saccade/plan/plan.h"

namespace saccade::plan {
namespace {

using Bytes = std::span<const std::byte>;

/// The tensors of the data section in their order, and the table that describes them.
class Tensors {
 public:
  explicit Tensors(const Plan& plan) {
    for (const auto* bucket : buckets(plan)) add_constants(bucket->graph);
    size_t number = 0;
    for (const auto* bucket : buckets(plan))
      for (const auto& recording : bucket->recordings) {
        add_all(Role::recorded_input, number, recording.inputs);
        add_all(Role::recorded_output, number++, recording.outputs);
      }
  }
  /// The numbers of a bucket's constants.
  [[nodiscard]] std::span<const int32_t> numbers(size_t bucket) const { return numbers_[bucket]; }

  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] std::vector<std::byte> table() const {
    ByteWriter out;
    out.put(static_cast<uint32_t>(pieces_.size()));
    out.put_bytes(rows_.bytes());
    return out.bytes();
  }
  /// The data section in order, with what fills up.
  void stream(const ByteSink& sink) const {
    constexpr std::array<std::byte, kAlignment> kZeros{};
    uint64_t at = 0;
    for (const auto& piece : pieces_) {
      sink(piece);
      at += piece.size();
      sink(Bytes(kZeros).first(aligned(at) - at));
      at = aligned(at);
    }
  }

 private:
  void add(Role role, size_t recording, std::string_view name, DType dtype, ops::Layout layout,
           const Shape& shape, Bytes bytes) {
    rows_.put(static_cast<uint8_t>(role));
    rows_.put(static_cast<uint32_t>(recording));
    rows_.put_text(name);
    rows_.put(static_cast<uint8_t>(dtype));
    rows_.put(static_cast<uint8_t>(layout));
    encode_dims(ops::fixed_dims(shape), rows_);
    rows_.put(size_);
    rows_.put(uint64_t{bytes.size()});
    pieces_.push_back(bytes);
    size_ = aligned(size_ + bytes.size());
  }
  void add_constants(const Graph& graph) {
    auto& numbers = numbers_.emplace_back();
    for (const auto& constant : graph.constants) {
      const auto before = std::ssize(pool_.all());
      numbers.push_back(pool_.add(constant));
      if (std::ssize(pool_.all()) > before)
        add(Role::constant, 0, constant.name, constant.dtype, constant.layout, constant.shape,
            constant.bytes);
    }
  }
  void add_all(Role role, size_t recording, const NamedTensors& tensors) {
    for (const auto& [name, tensor] : tensors)
      add(role, recording, name, tensor.dtype(), ops::Layout::row_major, tensor.shape(),
          tensor.bytes());
  }

  ConstantPool pool_;
  std::vector<std::vector<int32_t>> numbers_;
  ByteWriter rows_;
  std::vector<Bytes> pieces_;
  uint64_t size_ = 0;
};

/// CRC-32C of each block of a stream.
class BlockSums {
 public:
  void update(Bytes bytes) {
    while (!bytes.empty()) {
      const auto piece = bytes.first(std::min<uint64_t>(bytes.size(), kBlock - filled_));
      sum_ = crc32c(piece, sum_);
      filled_ += piece.size();
      bytes = bytes.subspan(piece.size());
      if (filled_ == kBlock) close();
    }
  }
  [[nodiscard]] std::vector<std::byte> finish() {
    if (filled_ > 0) close();
    return out_.bytes();
  }

 private:
  void close() {
    out_.put(sum_);
    sum_ = 0;
    filled_ = 0;
  }
  ByteWriter out_;
  uint32_t sum_ = 0;
  uint64_t filled_ = 0;
};

std::vector<std::byte> to_bytes(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

template <class T>
Bytes raw(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// What stands between the header and the data: everything else of the file.
struct Frame {
  std::array<SectionRow, kSections> rows;
  std::array<std::vector<std::byte>, kSections - 1> small;  ///< sections in front of the data
  uint64_t file_size = 0;
};

Frame make_frame(const Plan& plan, const Tensors& tensors) {
  ByteWriter graphs;
  const auto all = buckets(plan);
  graphs.put(static_cast<uint32_t>(all.size()));
  for (size_t i = 0; i < all.size(); ++i) {
    graphs.put(static_cast<uint32_t>(all[i]->recordings.size()));
    encode_graph(all[i]->graph, tensors.numbers(i), graphs);
  }
  BlockSums sums;
  tensors.stream([&](Bytes bytes) { sums.update(bytes); });
  Frame frame;
  frame.small = {to_bytes(to_json(plan.info).dump()), tensors.table(), graphs.bytes(),
                 sums.finish()};
  uint64_t offset = kHeaderSize + kSections * kRowSize;
  for (uint32_t i = 0; i < kSections; ++i) {
    const bool data = i + 1 == kSections;
    const auto& small = frame.small[data ? 0 : i];
    offset = aligned(offset);
    frame.rows[i] = {i, data ? 0 : crc32c(small), offset, data ? tensors.size() : small.size(), 0};
    offset += frame.rows[i].size;
  }
  frame.file_size = offset;
  return frame;
}

/// The file behind its header.
void stream_behind_header(const Frame& frame, const Tensors& tensors, const ByteSink& sink) {
  constexpr std::array<std::byte, kAlignment> kZeros{};
  const auto table = std::as_bytes(std::span(frame.rows));
  sink(table);
  uint64_t at = kHeaderSize + table.size();
  for (uint32_t i = 0; i < kSections; ++i) {
    const auto& row = frame.rows[i];
    sink(Bytes(kZeros).first(row.offset - at));
    i + 1 == kSections ? tensors.stream(sink) : sink(frame.small[i]);
    at = row.offset + row.size;
  }
}

/// The file from front to back.
void stream(const Plan& plan, const ByteSink& sink) {
  if (const auto problem = find_problem(plan); !problem.empty())
    SACCADE_CHECK(false, "a plan with a problem: {}", problem);
  const Tensors tensors(plan);
  const auto frame = make_frame(plan, tensors);
  Sha256 hash;
  stream_behind_header(frame, tensors, [&](Bytes bytes) { hash.update(bytes); });
  Header header;
  header.version = kVersion;
  header.file_size = frame.file_size;
  header.digest = hash.digest();
  header.sum = crc32c(std::as_bytes(std::span(frame.rows)),
                      crc32c(raw(header).first(kHeaderSize - sizeof header.sum)));
  sink(raw(header));
  stream_behind_header(frame, tensors, sink);
}

}  // namespace

void write(const Plan& plan, const std::filesystem::path& path) {
  write_file_atomically(
      path, [&](const ByteSink& sink) { stream(plan, sink); },
      [](const std::filesystem::path& written) { static_cast<void>(open(written)); });
}

std::vector<std::byte> serialize(const Plan& plan) {
  std::vector<std::byte> bytes;
  stream(plan, [&](Bytes piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  return bytes;
}

}  // namespace saccade::plan
