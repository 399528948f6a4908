#include "tests/fuzz/read_all.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  saccade::fuzz::read_all(data, size, "input.npz", saccade::checkpoint::read_npz);
  return 0;
}
