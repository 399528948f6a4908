// `saccade inspect --hash --json` on every good and malformed file, as a user runs it: exit code,
// message, time and memory. What it lists is compared in tests/parity/format_cases.cpp.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "saccade/base/json.h"
#include "tests/support/run.h"

extern char** environ;

namespace saccade {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr double kMaxSeconds = kSanitized ? 20.0 : 1.0;
constexpr int kBadInput = 3;

struct Measured {
  int code = -1;
  std::string err;
  double cpu_seconds = 0;
  uint64_t peak_bytes = 0;
};

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs `saccade inspect FILE --hash --json` in `folder`; time and memory are the child's own.
Measured inspect(const fs::path& file, const fs::path& folder) {
  const auto program = (fs::path(SACCADE_BIN) / "saccade").string();
  const auto err = folder / "stderr.txt";
  std::vector<std::string> words{program, "inspect", file.string(), "--hash", "--json"};
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t pid = 0;
  EXPECT_EQ(posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  rusage usage{};
  EXPECT_EQ(wait4(pid, &status, 0, &usage), pid);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(err),
          seconds(usage.ru_utime) + seconds(usage.ru_stime),
          static_cast<uint64_t>(usage.ru_maxrss) * 1024};
}

uint64_t size_of(const fs::path& path) {
  if (!fs::is_directory(path)) return fs::file_size(path);
  uint64_t total = 0;
  for (const auto& item : fs::recursive_directory_iterator(path))
    if (item.is_regular_file()) total += item.file_size();
  return total;
}

/// Memory that a picture of the declared size may take besides.
uint64_t picture_allowance(const std::string& format) {
  const bool picture = format == "jpeg" || format == "png" || format == "other";
  return picture ? uint64_t{8} * 64'000'000 : 0;
}

class InspectCorpus : public testing::Test {
 protected:
  void walk(const fs::path& formats) {
    for (const auto& item : fs::directory_iterator(formats / "good"))
      if (fs::exists(item.path() / "expected.json")) check_good(item.path());
    const auto manifest = read_json(formats / "bad" / "manifest.json");
    for (const auto& entry : manifest.at("cases")) check_bad(formats / "bad", entry);
    EXPECT_GT(files_, 300);
  }

 private:
  void check_good(const fs::path& folder) {
    const auto expected = read_json(folder / "expected.json");
    const auto expect = expected.at("expect").get<std::string>();
    const auto file = folder / expected.at("file").get<std::string>();
    const bool sharded = expected.at("format") == "sharded";
    const auto run = check(file, sharded ? folder : file, 0);
    if (expect == "list") {
      EXPECT_EQ(run.code, 0) << file << "\n" << run.err;
    }
    if (expect == "refuse") {
      EXPECT_EQ(run.code, kBadInput) << file;
    }
  }

  void check_bad(const fs::path& root, const Json& entry) {
    const auto expect = entry.at("expect").get<std::string>();
    const auto file = root / entry.at("file").get<std::string>();
    const auto run = check(file, file, picture_allowance(entry.at("format").get<std::string>()));
    if (expect == "accept") {
      EXPECT_EQ(run.code, 0) << file << "\n" << run.err;
    }
    if (expect == "refuse") {
      EXPECT_EQ(run.code, kBadInput) << file << "\n" << run.err;
    }
    const auto trace = entry.value("must_not_create", "");
    if (!trace.empty()) {
      EXPECT_FALSE(fs::exists(folder_.path() / trace)) << file;
    }
  }

  /// What holds for every file.
  Measured check(const fs::path& file, const fs::path& measured, uint64_t allowance) {
    ++files_;
    const auto run = inspect(file, folder_.path());
    EXPECT_TRUE(run.code == 0 || run.code == kBadInput) << file << ": " << run.code << run.err;
    EXPECT_LE(run.cpu_seconds, kMaxSeconds) << file;
    if (!kSanitized) {
      const uint64_t limit = 4 * size_of(measured) + (64u << 20) + allowance;
      EXPECT_LE(run.peak_bytes, std::max(limit, own_peak())) << file;
    }
    if (run.code == kBadInput) {
      EXPECT_NE(run.err.find(file.filename().string()), std::string::npos) << file << run.err;
    }
    return run;
  }

  /// Of this process, in bytes: the kernel counts it for a child until the child's exec.
  static uint64_t own_peak() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  }

  test::TemporaryFolder folder_;
  int files_ = 0;
};

TEST_F(InspectCorpus, FilesOfThisRepository) { walk(fs::path(SACCADE_TEST_DATA) / "formats"); }

TEST_F(InspectCorpus, FilesOfTheSharedFolder) {
  const char* shared = std::getenv("SACCADE_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "SACCADE_SHARED is not set";
  walk(fs::path(shared) / "golden" / "formats");
}

}  // namespace
}  // namespace saccade
