// A plan: opened as it is, then again with every sum made right, so that mutations get past them.
// What is accepted runs one inference in each size. Only an Error may come of it.

#include <cstdlib>
#include <cstring>
#include <vector>

#include "saccade/base/error.h"
#include "saccade/plan/crc32c.h"
#include "saccade/plan/layout.h"
#include "saccade/runtime/session.h"

namespace {

using namespace saccade;
using namespace saccade::plan;

constexpr int64_t kMaxArena = 1 << 16;  // small enough for quick inferences

void run(std::span<const std::byte> bytes) {
  try {
    const auto model = std::make_shared<runtime::Model>(parse(bytes, nullptr, "input.plan"));
    runtime::Session session(model, {.threads = 1, .max_bytes = kMaxArena});
    for (size_t size = 0; size < model->sizes(); ++size) {
      session.prepare(2, size);
      for (size_t i = 0; i < model->inputs(size).size(); ++i)
        std::memset(session.input(i).data(), 0x3e, session.input(i).size());
      session.run();
      uint64_t sum = 0;
      for (size_t i = 0; i < session.graph().outputs.size(); ++i)
        for (const auto byte : session.output(i).bytes) sum += std::to_integer<uint64_t>(byte);
      if (sum == UINT64_MAX) std::abort();  // keeps the sum alive; out of reach
    }
  } catch (const Error&) {
  }
}

/// Rewrites all sums and the file's size, as far as the section table makes sense.
std::vector<std::byte> with_sums(std::span<const std::byte> input) {
  std::vector<std::byte> bytes(input.begin(), input.end());
  if (bytes.size() < kHeaderSize + kSections * kRowSize) return bytes;
  Header header;
  std::array<SectionRow, kSections> rows;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::memcpy(rows.data(), bytes.data() + kHeaderSize, sizeof rows);
  const auto piece = [&](Section section) -> std::span<std::byte> {
    const auto& row = rows[static_cast<size_t>(section)];
    if (row.offset > bytes.size() || row.size > bytes.size() - row.offset) return {};
    return std::span(bytes).subspan(row.offset, row.size);
  };
  const auto data = piece(Section::data), sums = piece(Section::sums);
  for (size_t block = 0; 4 * block + 4 <= sums.size() && block * kBlock < data.size(); ++block) {
    const auto from = data.subspan(block * kBlock);
    const uint32_t sum = crc32c(from.first(std::min<size_t>(from.size(), kBlock)));
    std::memcpy(sums.data() + 4 * block, &sum, sizeof sum);
  }
  for (const auto section : {Section::info, Section::tensors, Section::graphs, Section::sums})
    rows[static_cast<size_t>(section)].sum = crc32c(piece(section));
  header.version = kVersion;
  header.file_size = bytes.size();
  const auto head = std::as_bytes(std::span(&header, 1)).first(kHeaderSize - sizeof header.sum);
  header.sum = crc32c(std::as_bytes(std::span(rows)), crc32c(head));
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + kHeaderSize, rows.data(), sizeof rows);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  run(bytes);
  run(with_sums(bytes));
  return 0;
}
