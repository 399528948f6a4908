// Pictures: header, pixels in one piece, pixels by bands through a pipeline. All three agree, and
// nothing but Error (bad_input) comes out.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "saccade/base/error.h"
#include "saccade/image/preprocess.h"

namespace {

using namespace saccade;

constexpr int64_t kMaxPixels = 1 << 18;  // large enough for every rule, small enough to be quick

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

Pipeline small_pipeline() {
  Pipeline p;
  p.resize_height = p.resize_width = 20;
  p.crop_height = p.crop_width = 16;
  p.apply_exif_orientation = true;
  return p;
}

void check(std::span<const std::byte> bytes) {
  const Pipeline pipeline = small_pipeline();
  const image::DecodeOptions options{kMaxPixels, true};
  const image::Image picture = image::decode(bytes, options, "fuzz");
  const auto info = image::probe(bytes, "fuzz");
  require(info.width * info.height == picture.width * picture.height, "probe saw another size");
  const auto whole = image::preprocess(picture, pipeline);
  const auto bands = image::decode_and_preprocess(bytes, pipeline, kMaxPixels, "fuzz");
  require(std::ranges::equal(whole.bytes(), bands.tensor.bytes()), "bands give other numbers");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    check(std::as_bytes(std::span(data, size)));
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::bad_input, error.what());
  }
  return 0;
}
