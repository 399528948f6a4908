#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>

#include "saccade/base/checked.h"
#include "saccade/base/file.h"
#include "saccade/base/sha256.h"
#include "saccade/base/thread_pool.h"
#include "saccade/plan/aligned.h"
#include "saccade/plan/crc32c.h"
#include "saccade/plan/encode.h"
#include "saccade/plan/layout.h"
#include "saccade/plan/plan.h"

namespace saccade::plan {
namespace {

using Bytes = std::span<const std::byte>;

/// Plans have a few sizes with a few recordings each.
constexpr uint32_t kMaxBuckets = 64, kMaxRecordings = 256;

struct File {
  Bytes bytes;
  std::shared_ptr<const void> owner;
  std::string name;

  template <class... Args>
  [[nodiscard]] Error fail(uint64_t offset, fmt::format_string<Args...> text,
                           Args&&... args) const {
    return input_error_at(name, offset, "{}", fmt::format(text, std::forward<Args>(args)...));
  }
};

Header read_header(const File& file) {
  Header header;
  if (!is_plan(file.bytes)) throw file.fail(0, "not a plan");
  if (file.bytes.size() < kHeaderSize)
    throw file.fail(file.bytes.size(), "the header of a plan has {} bytes", kHeaderSize);
  std::memcpy(&header, file.bytes.data(), sizeof header);
  if (header.version != kVersion)
    throw unsupported_error(
        "{}: a plan of version {}; this program reads version {}. Compile it again", file.name,
        header.version, kVersion);
  if (header.file_size != file.bytes.size())
    throw file.fail(16, "the file has {} bytes, its header says {}", file.bytes.size(),
                    header.file_size);
  if (header.sections != kSections)
    throw file.fail(12, "{} sections; a plan has {}", header.sections, kSections);
  return header;
}

using Rows = std::array<SectionRow, kSections>;

Rows read_rows(const File& file, const Header& header) {
  Rows rows;
  if (file.bytes.size() < kHeaderSize + sizeof rows)
    throw file.fail(kHeaderSize, "the section table is cut off");
  std::memcpy(rows.data(), file.bytes.data() + kHeaderSize, sizeof rows);
  const auto head = std::as_bytes(std::span(&header, 1)).first(kHeaderSize - sizeof header.sum);
  if (crc32c(std::as_bytes(std::span(rows)), crc32c(head)) != header.sum)
    throw file.fail(kHeaderSize - sizeof header.sum, "header and section table are damaged");
  uint64_t end = kHeaderSize + sizeof rows;
  for (uint32_t i = 0; i < kSections; ++i) {
    const auto& row = rows[i];
    const uint64_t place = kHeaderSize + i * kRowSize;
    const bool fits = row.kind == i && row.offset == aligned(end) &&
                      row.offset <= file.bytes.size() && row.size <= file.bytes.size() - row.offset;
    if (!fits) throw file.fail(place, "section {} does not lie where it should", i);
    const auto gap = file.bytes.subspan(end, row.offset - end);
    if (std::ranges::any_of(gap, [](std::byte b) { return b != std::byte{0}; }))
      throw file.fail(end, "bytes between sections that are not zero");
    end = row.offset + row.size;
  }
  if (end != file.bytes.size()) throw file.fail(end, "bytes behind the last section");
  return rows;
}

/// A private copy of a section, with its sum checked.
ByteReader read_section(const File& file, const Rows& rows, Section section) {
  const auto& row = rows[static_cast<size_t>(section)];
  const auto bytes = file.bytes.subspan(row.offset, row.size);
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  if (crc32c(copy) != row.sum)
    throw file.fail(row.offset, "section {} is damaged (its sum differs)", row.kind);
  return {file.name, row.offset, std::move(copy)};
}

void check_data(const File& file, const Rows& rows) {
  const auto& row = rows[static_cast<size_t>(Section::data)];
  const auto data = file.bytes.subspan(row.offset, row.size);
  auto sums = read_section(file, rows, Section::sums);
  const uint64_t blocks = (row.size + kBlock - 1) / kBlock;
  if (sums.remaining() != blocks * sizeof(uint32_t))
    throw sums.fail("{} bytes of sums for {} blocks", sums.remaining(), blocks);
  std::vector<uint32_t> expected(blocks);
  for (auto& sum : expected) sum = sums.get<uint32_t>();
  std::atomic<uint64_t> damaged{blocks};
  parallel_for(static_cast<int64_t>(blocks), 1, [&](int64_t begin, int64_t) {
    const auto block = static_cast<uint64_t>(begin);
    const auto offset = block * kBlock;
    const auto bytes = data.subspan(offset, std::min(kBlock, row.size - offset));
    if (crc32c(bytes) == expected[block]) return;
    uint64_t first = damaged.load();
    while (block < first && !damaged.compare_exchange_weak(first, block)) {
    }
  });
  if (damaged < blocks)
    throw file.fail(row.offset + damaged * kBlock,
                    "weights are damaged (the sum of a block differs)");
}

Shape decode_shape(ByteReader& in) {
  Shape shape;
  for (const auto& dim : decode_dims(in)) {
    if (dim.batch) throw in.fail("a tensor's size depends on N");
    shape.push_back(dim.size);
  }
  return shape;
}

/// One row of the section `tensors`.
struct Entry {
  Role role;
  uint32_t recording;
  Constant tensor;
};

Entry read_entry(ByteReader& in, const File& file, const SectionRow& data, uint64_t& end) {
  Entry entry;
  entry.role = static_cast<Role>(in.get_below<uint8_t>(3, "role"));
  entry.recording = in.get_below<uint32_t>(kMaxRecordings, "recording");
  auto& tensor = entry.tensor;
  tensor.name = in.get_text();
  constexpr auto kDTypes = static_cast<uint8_t>(DType::C128) + 1;
  tensor.dtype = static_cast<DType>(in.get_below<uint8_t>(kDTypes, "element type"));
  tensor.layout = static_cast<ops::Layout>(in.get_below<uint8_t>(2, "layout"));
  tensor.shape = decode_shape(in);
  const auto offset = in.get<uint64_t>(), size = in.get<uint64_t>();
  const auto expected = constant_bytes(tensor.dtype, tensor.shape, tensor.layout);
  if (!expected || static_cast<uint64_t>(*expected) != size)
    throw in.fail("tensor {} of type {}: {} bytes do not fit", tensor.name,
                  to_string(tensor.type()), size);
  if (offset != aligned(end) || offset > data.size || size > data.size - offset)
    throw in.fail("tensor {} does not lie behind its neighbour", tensor.name);
  end = offset + size;
  tensor.bytes = file.bytes.subspan(data.offset + offset, size);
  tensor.owner = file.owner;
  return entry;
}

void read_tensors(const File& file, const Rows& rows, std::vector<Constant>& constants,
                  std::vector<Recording>& recordings) {
  auto in = read_section(file, rows, Section::tensors);
  const auto& data = rows[static_cast<size_t>(Section::data)];
  constexpr size_t kLeastEntry = 28;  // bytes
  const auto count = in.get_count(kLeastEntry);
  uint64_t end = 0;
  for (uint32_t i = 0; i < count; ++i) {
    auto entry = read_entry(in, file, data, end);
    if (entry.role == Role::constant) {
      constants.push_back(std::move(entry.tensor));
      continue;
    }
    if (entry.tensor.layout != ops::Layout::row_major || entry.recording > recordings.size())
      throw in.fail("recorded tensor {} is out of order", entry.tensor.name);
    if (entry.recording == recordings.size()) recordings.emplace_back();
    auto& recording = recordings[entry.recording];
    auto& list = entry.role == Role::recorded_input ? recording.inputs : recording.outputs;
    list.emplace_back(entry.tensor.name, to_tensor(entry.tensor));
  }
  in.finish();
  if (aligned(end) != data.size)
    throw file.fail(data.offset + data.size, "bytes behind the last tensor");
}

Json read_info(const File& file, const Rows& rows) {
  auto in = read_section(file, rows, Section::info);
  std::string text;
  text.reserve(in.remaining());
  while (in.remaining() > 0) text.push_back(in.get<char>());
  return parse_json(text, file.name);
}

/// A copy that is aligned, as maps are.
File aligned_copy(const File& file) {
  auto memory = allocate_aligned(file.bytes.size());
  std::ranges::copy(file.bytes, memory.get());
  return {{memory.get(), file.bytes.size()}, memory, file.name};
}

void read_graphs(const File& file, const Rows& rows, const std::vector<Constant>& constants,
                 std::vector<Recording> recordings, Plan& plan) {
  auto in = read_section(file, rows, Section::graphs);
  const auto count = in.get_below<uint32_t>(kMaxBuckets + 1, "number of graphs");
  if (count == 0) throw in.fail("there is no graph");
  plan.others.resize(count - 1);
  auto next = recordings.begin();
  for (auto* bucket : buckets(plan)) {
    const auto left = recordings.end() - next;
    const auto own = in.get<uint32_t>();
    if (own > left) throw in.fail("{} recordings where {} are left", own, left);
    for (uint32_t i = 0; i < own; ++i) bucket->recordings.push_back(std::move(*next++));
    bucket->graph = decode_graph(in, constants);
  }
  if (next != recordings.end()) throw in.fail("recordings that belong to no graph");
  in.finish();
  if (const auto problem = find_problem(plan); !problem.empty())
    throw input_error(file.name, "the graph: {}", problem);
}

Plan parse_file(const File& file) {
  const auto header = read_header(file);
  const auto rows = read_rows(file, header);
  check_data(file, rows);
  Plan plan;
  std::vector<Constant> constants;
  std::vector<Recording> recordings;
  read_tensors(file, rows, constants, recordings);
  read_graphs(file, rows, constants, std::move(recordings), plan);
  plan.info = info_from_json(read_info(file, rows), file.name);
  return plan;
}

/// Whether it is a plan with weights enough to be worth reading into memory, and memory enough.
bool gains_by_large_pages(const std::filesystem::path& path) {
  constexpr uintmax_t kWorthReading = 16 << 20;  // less stays in the processor's caches
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  return !none && size >= kWorthReading && size <= physical_memory() / 4 && has_large_pages() &&
         is_plan(path);
}

}  // namespace

bool is_plan(Bytes bytes) {
  return bytes.size() >= kMagic.size() &&
         std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

bool is_plan(const std::filesystem::path& path) {
  std::array<char, kMagic.size()> start{};
  std::ifstream file(path, std::ios::binary);
  return file.read(start.data(), start.size()) && start == kMagic;
}

Plan parse(Bytes bytes, std::shared_ptr<const void> owner, std::string_view file) {
  const File given{bytes, std::move(owner), std::string(file)};
  const bool lies_right = reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment == 0;
  return parse_file(lies_right && given.owner ? given : aligned_copy(given));
}

Plan open(const std::filesystem::path& path, const OpenOptions& options) {
  const bool maps = options.residence == Residence::mapped ||
                    (options.residence == Residence::automatic && !gains_by_large_pages(path));
  if (maps) {
    const auto map = FileMap::open(path);
    return parse_file({map->bytes(), map, path.string()});
  }
  File file{{}, nullptr, path.string()};
  read_file(path, [&](size_t size) {
    const auto memory = allocate_aligned(size);
    file.bytes = {memory.get(), size};
    file.owner = memory;
    return std::span(memory.get(), size);
  });
  return parse_file(file);
}

std::string check_digest(const std::filesystem::path& path) {
  const auto map = FileMap::open(path);
  const File file{map->bytes(), map, path.string()};
  const auto header = read_header(file);
  Sha256 hash;
  hash.update(file.bytes.subspan(kHeaderSize));
  const auto digest = hash.digest();
  if (digest != header.digest)
    throw file.fail(offsetof(Header, digest), "the file is damaged (its SHA-256 is {}, not {})",
                    hex(digest), hex(header.digest));
  return hex(digest);
}

}  // namespace saccade::plan
