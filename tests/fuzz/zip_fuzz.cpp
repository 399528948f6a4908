// An archive: every entry is inflated and checked.

#include <span>

#include "saccade/base/error.h"
#include "saccade/checkpoint/zip_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace saccade::checkpoint;
  try {
    const Input input{std::as_bytes(std::span(data, size)), "input", nullptr};
    Budget budget(input.file, size);
    const ZipArchive zip(input, budget);
    for (const auto& entry : zip.entries()) {
      static_cast<void>(zip.find(entry.name));
      static_cast<void>(zip.read_verified(entry, budget));
    }
  } catch (const saccade::Error&) {
  }
  return 0;
}
