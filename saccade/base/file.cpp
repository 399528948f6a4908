#include "saccade/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "saccade/base/error.h"
#include "saccade/base/thread_pool.h"

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

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

/// The size of a file that was opened with kReadFlags.
size_t regular_size(const Descriptor& fd, const fs::path& path) {
  const auto file = path.string();
  if (fd.get() < 0) throw input_error(file, "cannot be opened: {}", reason(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw input_error(file, "cannot be read: {}", reason(errno));
  if (S_ISDIR(info.st_mode)) throw input_error(file, "is a folder, a file was expected");
  if (!S_ISREG(info.st_mode)) throw input_error(file, "is not a regular file");
  return static_cast<size_t>(info.st_size);
}

/// Fills `room` with what stands at `offset`.
void read_at(int fd, std::span<std::byte> room, size_t offset, const fs::path& path) {
  while (!room.empty()) {
    const auto count = ::pread(fd, room.data(), room.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw input_error_at(path.string(), offset, "cannot be read: {}", reason(errno));
    if (count == 0)
      throw input_error_at(path.string(), offset, "ends here; it was longer when it was opened");
    room = room.subspan(static_cast<size_t>(count));
    offset += static_cast<size_t>(count);
  }
}

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
  const Descriptor fd(::open(path.c_str(), kReadFlags));
  const size_t size = regular_size(fd, path);
  if (size == 0) return std::shared_ptr<const FileMap>(new FileMap(path, {}));
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED)
    throw resource_error("{}: cannot be mapped: {}", path.string(), reason(errno));
  return std::shared_ptr<const FileMap>(
      new FileMap(path, {static_cast<const std::byte*>(data), size}));
}

FileMap::~FileMap() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void read_file(const fs::path& path, const std::function<std::span<std::byte>(size_t size)>& room) {
  constexpr int64_t kPiece = 4 << 20;
  const Descriptor fd(::open(path.c_str(), kReadFlags));
  const auto bytes = room(regular_size(fd, path));
  parallel_for(std::ssize(bytes), kPiece, [&](int64_t begin, int64_t end) {
    const auto at = static_cast<size_t>(begin);
    read_at(fd.get(), bytes.subspan(at, static_cast<size_t>(end - begin)), at, path);
  });
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
