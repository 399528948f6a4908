#pragma once
// Files: read-only maps, and whole-file writes that are there completely or not at all.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace saccade {

/// A read-only map of a regular file. Shared by everything that points into it.
/// Throws Error (bad_input) if the file cannot be opened or is not a regular file.
class FileMap {
 public:
  [[nodiscard]] static std::shared_ptr<const FileMap> open(const std::filesystem::path& path);
  ~FileMap();
  FileMap(const FileMap&) = delete;
  FileMap& operator=(const FileMap&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  FileMap(std::filesystem::path path, std::span<const std::byte> bytes)
      : path_(std::move(path)), bytes_(bytes) {}

  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

/// Reads a regular file as it is now, on all threads of parallel_for, into what `room` gives for
/// its size. Throws Error (bad_input) as FileMap::open does, and if the file shrinks meanwhile.
void read_file(const std::filesystem::path& path,
               const std::function<std::span<std::byte>(size_t size)>& room);

/// The whole file as text; refused above `limit` bytes.
[[nodiscard]] std::string read_text(const std::filesystem::path& path, size_t limit = 64 << 20);

/// Takes bytes in order; an exception from `write` abandons the file.
using ByteSink = std::function<void(std::span<const std::byte>)>;

/// Writes a file so that `path` is at every moment the old file or the complete new one: temporary
/// file in the same folder, fsync, `verify` (may throw), rename, fsync of the folder.
/// Throws Error (resources) naming the step that failed; the temporary file is removed.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(const ByteSink&)>& write,
                           const std::function<void(const std::filesystem::path&)>& verify = {});
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace saccade
