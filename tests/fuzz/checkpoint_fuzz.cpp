// Any checkpoint, by its content: whatever is listed can be read to the last byte.

#include "tests/fuzz/read_all.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  saccade::fuzz::read_all(data, size, "input", saccade::checkpoint::read_any);
  return 0;
}
