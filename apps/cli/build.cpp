#include "apps/cli/build.h"

#include <system_error>

// SACCADE_VERSION, SACCADE_BUILD_BIN and SACCADE_SOURCE_ASSETS are set for this file alone
// (apps/CMakeLists.txt): a new version recompiles nothing else.

#ifdef __clang__
#define SACCADE_COMPILER "clang " __clang_version__
#else
#define SACCADE_COMPILER "g++ " __VERSION__
#endif

namespace saccade::cli {

namespace fs = std::filesystem;

std::string_view version() { return SACCADE_VERSION; }

std::string_view compiler() { return SACCADE_COMPILER; }

fs::path executable() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

std::optional<fs::path> assets_folder() {
  std::error_code error;
  const auto bin = executable().parent_path();
  const auto installed = bin.parent_path() / "share" / "saccade" / "assets";
  if (fs::is_directory(installed, error)) return installed;
  const fs::path source(SACCADE_SOURCE_ASSETS);
  if (fs::equivalent(bin, SACCADE_BUILD_BIN, error) && fs::is_directory(source, error))
    return source;
  return std::nullopt;
}

std::optional<fs::path> default_model() {
  const auto folder = assets_folder();
  std::error_code error;
  if (!folder || !fs::is_regular_file(*folder / kDefaultModel, error)) return std::nullopt;
  return *folder / kDefaultModel;
}

}  // namespace saccade::cli
