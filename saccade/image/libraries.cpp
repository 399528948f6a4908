#include "saccade/image/libraries.h"

#include <cstdint>
#include <cstdio>

#include <hwy/highway.h>
#include <hwy/targets.h>
#include <jpeglib.h>
#include <png.h>

#define SACCADE_TEXT_OF(x) #x
#define SACCADE_TEXT(x) SACCADE_TEXT_OF(x)

namespace saccade::image {
namespace {

/// Best first, for instance "AVX3_ZEN4 AVX3 AVX2 SSE4".
std::string vector_targets() {
  std::string names;
  for (int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1) {
    const char* name = hwy::TargetName(left & -left);
    names += (names.empty() ? "" : " ") + std::string(name);
  }
  return names;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> libraries() {
  return {
      {"libjpeg-turbo", SACCADE_TEXT(LIBJPEG_TURBO_VERSION)},
      {"libpng", png_get_libpng_ver(nullptr)},
      {"highway", SACCADE_TEXT(HWY_MAJOR) "." SACCADE_TEXT(HWY_MINOR) "." SACCADE_TEXT(HWY_PATCH)},
      {"highway targets", vector_targets()}};
}

}  // namespace saccade::image
