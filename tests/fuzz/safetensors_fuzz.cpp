#include "tests/fuzz/read_all.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  saccade::fuzz::read_all(data, size, "input.safetensors", saccade::checkpoint::read_safetensors);
  return 0;
}
