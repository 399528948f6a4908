// A JSON text: what is accepted must be the same after writing and reading again.

#include <cstdlib>
#include <string_view>

#include "saccade/base/error.h"
#include "saccade/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace saccade;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto json = parse_json(text, "input");
    if (parse_json(json.dump(), "the copy") != json) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
