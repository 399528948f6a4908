#pragma once
// What the fuzzers of the checkpoint readers have in common.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "saccade/base/error.h"
#include "saccade/checkpoint/common/contents.h"
#include "saccade/checkpoint/row_major.h"

namespace saccade::fuzz {

/// Reads the input, chooses names and touches every byte of every tensor. Only an Error may come of
/// it; everything else ends the program.
inline void read_all(const uint8_t* data, size_t size, const std::string& name,
                     checkpoint::Contents (*reader)(const checkpoint::Input&)) {
  using namespace checkpoint;
  const Input input{std::as_bytes(std::span(data, size)), name, nullptr};
  try {
    auto contents = reader(input);
    check_total_size(contents.entries, input);
    if (contents.verify) contents.verify();
    static_cast<void>(choose_names(contents.entries, contents.root_children));
    uint64_t sum = 0;
    for (const auto& entry : contents.entries)
      stream_row_major(entry.view, [&](std::span<const std::byte> bytes) {
        for (const auto byte : bytes) sum += std::to_integer<uint64_t>(byte);
      });
    static_cast<void>(contents.metadata.dump());  // throws if a text is no UTF-8
    if (sum == UINT64_MAX) std::abort();          // keeps the sum alive; out of reach
  } catch (const Error&) {
  }
}

}  // namespace saccade::fuzz
