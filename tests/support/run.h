#pragma once
// Runs a program as a user does: arguments, environment, stdout and stderr through pipes.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace saccade::test {

struct RunResult {
  int code = -1;    ///< exit code; 128 + signal number if a signal ended it
  std::string out;  ///< all of stdout
  std::string err;  ///< all of stderr
};

struct RunOptions {
  /// Added to this process's environment; an empty value removes the variable.
  std::map<std::string, std::string> environment{};
  std::filesystem::path folder{};  ///< working folder; empty: this process's
  std::string input{};             ///< written to stdin, which is then closed
  double seconds = 120;            ///< killed after this time (code 128 + 9)
};

/// Runs a program file. Throws std::runtime_error if it cannot be started.
[[nodiscard]] RunResult run(const std::filesystem::path& program,
                            const std::vector<std::string>& arguments,
                            const RunOptions& options = {});

/// Runs `saccade` of this build.
[[nodiscard]] RunResult saccade(const std::vector<std::string>& arguments,
                                const RunOptions& options = {});

/// An empty folder that is removed with its contents at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file below it and returns its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace saccade::test
