#include "apps/cli/hand_over.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <system_error>

#include "apps/cli/build.h"
#include "saccade/base/check.h"

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTorchProgram = "saccade-torch";
constexpr const char* kHandedOver = "SACCADE_HANDED_OVER";  // set for the program that takes over

bool is_program(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::optional<fs::path> find_torch_program() {
  if (const auto beside = executable().parent_path() / kTorchProgram; is_program(beside))
    return beside;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const auto file = fs::path(folder) / kTorchProgram; !folder.empty() && is_program(file))
      return file;
  return std::nullopt;
}

void hand_over(const Program& program, std::string_view what) {
  SACCADE_CHECK(!program.open_model, "{} cannot hand over {}", program.name, what);
  const auto torch_program = find_torch_program();
  if (!torch_program)
    throw unsupported_error(
        "{} needs libtorch, and there is no {} beside {} or in PATH; build it with `make build` "
        "(preset release), or install the component Models",
        what, kTorchProgram, executable().string());
  if (std::getenv(kHandedOver) != nullptr)
    throw unsupported_error("{} needs libtorch, but {} is a program without it; reinstall it", what,
                            torch_program->string());
  std::fflush(nullptr);
  ::setenv(kHandedOver, "1", 1);
  ::execv(torch_program->c_str(), program.argv);
  const int code = errno;
  ::unsetenv(kHandedOver);
  throw unsupported_error("{}: cannot be run: {}", torch_program->string(),
                          std::generic_category().message(code));
}

void note_hand_over(const Program& program) {
  if (program.open_model) ::unsetenv(kHandedOver);
}

}  // namespace saccade::cli
