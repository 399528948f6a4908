#include "tests/support/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

extern char** environ;

namespace saccade::test {
namespace {

namespace fs = std::filesystem;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    close_end(read);
    close_end(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static void close_end(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

std::vector<std::string> environment_of(const RunOptions& options) {
  std::vector<std::string> list;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!options.environment.contains(text.substr(0, text.find('=')))) list.push_back(text);
  }
  for (const auto& [name, value] : options.environment)
    if (!value.empty()) list.push_back(name + "=" + value);
  return list;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

pid_t spawn(const fs::path& program, std::vector<std::string> arguments, const RunOptions& options,
            const Pipe& in, const Pipe& out, const Pipe& err) {
  arguments.insert(arguments.begin(), program.string());
  auto environment = environment_of(options);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  if (!options.folder.empty())
    posix_spawn_file_actions_addchdir_np(&actions, options.folder.c_str());
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, program.c_str(), &actions, nullptr,
                                 pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0)
    throw std::runtime_error(program.string() + " cannot be started: " + std::strerror(code));
  return pid;
}

/// Feeds stdin and reads both outputs until all are closed or time is up; true if time was up.
bool exchange(const RunOptions& options, Pipe& in, Pipe& out, Pipe& err, RunResult& result) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(options.seconds);
  size_t written = 0;
  if (options.input.empty()) Pipe::close_end(in.write);
  while (out.read >= 0 || err.read >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) return true;
    std::array<pollfd, 3> ends{
        {{out.read, POLLIN, 0}, {err.read, POLLIN, 0}, {in.write, POLLOUT, 0}}};
    if (::poll(ends.data(), ends.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
      throw std::runtime_error("poll failed");
    const auto take = [](const pollfd& ready, int& fd, std::string& text) {
      if (fd < 0 || ready.revents == 0) return;
      std::array<char, 65536> buffer{};
      const auto count = ::read(fd, buffer.data(), buffer.size());
      if (count > 0)
        text.append(buffer.data(), static_cast<size_t>(count));
      else
        Pipe::close_end(fd);
    };
    take(ends[0], out.read, result.out);
    take(ends[1], err.read, result.err);
    if (in.write >= 0 && ends[2].revents != 0) {
      const auto count =
          ::write(in.write, options.input.data() + written, options.input.size() - written);
      written += count > 0 ? static_cast<size_t>(count) : 0;
      if (count <= 0 || written == options.input.size()) Pipe::close_end(in.write);
    }
  }
  return false;
}

}  // namespace

RunResult run(const fs::path& program, const std::vector<std::string>& arguments,
              const RunOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);  // a program may end before it has read its stdin
  RunResult result;
  Pipe in, out, err;
  const pid_t pid = spawn(program, arguments, options, in, out, err);
  Pipe::close_end(in.read);
  Pipe::close_end(out.write);
  Pipe::close_end(err.write);
  if (exchange(options, in, out, err, result)) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

RunResult saccade(const std::vector<std::string>& arguments, const RunOptions& options) {
  return run(fs::path(SACCADE_BIN) / "saccade", arguments, options);
}

TemporaryFolder::TemporaryFolder() {
  auto pattern = (fs::temp_directory_path() / "saccade-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

fs::path TemporaryFolder::write(const std::string& name, const std::string& text) const {
  const auto file = path_ / name;
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

}  // namespace saccade::test
