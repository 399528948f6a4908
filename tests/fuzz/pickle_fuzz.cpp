// A bare pickle stream, as data.pkl of a zip: every storage is there, filled with zeros up to 4
// KiB.

#include <span>
#include <vector>

#include "saccade/base/error.h"
#include "saccade/checkpoint/pickle/machine.h"
#include "saccade/checkpoint/pickle/torch_builder.h"
#include "saccade/checkpoint/pickle/tree.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace saccade;
  using namespace saccade::checkpoint;
  static const std::vector<std::byte> zeros(4096);
  const Input input{std::as_bytes(std::span(data, size)), "input", nullptr};
  try {
    Budget budget(input.file, size);
    pickle::Heap heap(budget);
    pickle::Source source{input.file, 0,
                          std::string_view(reinterpret_cast<const char*>(data), size), 0};
    pickle::TorchBuilder builder(source, heap, pickle::Layout::zip,
                                 [&](std::string_view, uint64_t bytes) {
                                   if (bytes > zeros.size())
                                     throw source.fail("no record of {} bytes", bytes);
                                   return std::span(zeros).first(bytes);
                                 });
    const auto root = pickle::Machine(source, heap, builder).run();
    Contents contents;
    pickle::collect(root, {input, heap, source, budget, nullptr}, contents);
    check_total_size(contents.entries, input);
  } catch (const Error&) {
  }
  return 0;
}
