#include "saccade/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "saccade/base/error.h"

namespace saccade {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) { return std::generic_category().message(code); }

/// Closes a file descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  /// Closes now; false if the system reports a late write error.
  [[nodiscard]] bool close() {
    const int fd = std::exchange(fd_, -1);
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

void sync_folder(const fs::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0)
    throw resource_error("{}: the folder could not be synchronised: {}", folder.string(),
                         reason(errno));
}

void write_all(int fd, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      throw resource_error("{}: writing failed: {}; the file was left as it was", path.string(),
                           reason(errno));
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

}  // namespace

std::shared_ptr<const FileMap> FileMap::open(const fs::path& path) {
  const auto file = path.string();
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) throw input_error(file, "cannot be opened: {}", reason(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw input_error(file, "cannot be read: {}", reason(errno));
  if (S_ISDIR(info.st_mode)) throw input_error(file, "is a folder, a file was expected");
  if (!S_ISREG(info.st_mode)) throw input_error(file, "is not a regular file");
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return std::shared_ptr<const FileMap>(new FileMap(path, {}));
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) throw resource_error("{}: cannot be mapped: {}", file, reason(errno));
  return std::shared_ptr<const FileMap>(
      new FileMap(path, {static_cast<const std::byte*>(data), size}));
}

FileMap::~FileMap() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::string read_text(const fs::path& path, size_t limit) {
  const auto map = FileMap::open(path);
  const auto bytes = map->bytes();
  if (bytes.size() > limit)
    throw input_error(path.string(), "has {} bytes, more than the {} that are read as text",
                      bytes.size(), limit);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_file_atomically(const fs::path& path, const std::function<void(const ByteSink&)>& write,
                           const std::function<void(const fs::path&)>& verify) {
  auto folder = path.parent_path();
  if (folder.empty()) folder = ".";
  std::string pattern = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
  Descriptor fd(::mkstemp(pattern.data()));
  if (fd.get() < 0) throw resource_error("{}: cannot be written: {}", path.string(), reason(errno));
  const fs::path temporary = pattern;
  try {
    write([&](std::span<const std::byte> bytes) { write_all(fd.get(), bytes, path); });
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(fd.get(), 0666 & ~mask) != 0 || ::fsync(fd.get()) != 0 || !fd.close())
      throw resource_error("{}: writing failed: {}; the file was left as it was", path.string(),
                           reason(errno));
    if (verify) verify(temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0)
      throw resource_error("{}: cannot be replaced: {}", path.string(), reason(errno));
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(folder);
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  write_file_atomically(path, [&](const ByteSink& sink) { sink(std::as_bytes(std::span(text))); });
}

}  // namespace saccade
