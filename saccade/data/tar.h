#pragma once
// Uncompressed tar archives, read in place: USTAR and V7 headers, GNU long names, pax records
// (POSIX.1-2001). Nothing is unpacked; every size and offset is checked against the file.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "saccade/base/file.h"

namespace saccade::data {

struct TarMember {
  std::string name;                  ///< relative, '/' between parts, no ".", no ".."
  std::span<const std::byte> bytes;  ///< valid while the archive lives
  uint64_t offset = 0;               ///< of its header in the file, for messages
};

/// An opened archive; immutable, so any thread may read it.
class TarFile {
 public:
  /// Throws Error: bad_input (file, offset, reason) for a header, size or name that does not hold,
  /// for two files of one name and for an archive without its end mark (cut off); not_supported for
  /// compressed, sparse and multi-volume archives.
  [[nodiscard]] static std::shared_ptr<const TarFile> open(const std::filesystem::path& path);

  /// Regular files in byte order of their names.
  [[nodiscard]] const std::vector<TarMember>& members() const { return members_; }
  /// Folders that the archive names, in byte order.
  [[nodiscard]] const std::vector<std::string>& folders() const { return folders_; }
  /// Members of other kinds (links, devices), in byte order.
  [[nodiscard]] const std::vector<std::string>& skipped() const { return skipped_; }
  [[nodiscard]] const std::filesystem::path& path() const { return map_->path(); }

 private:
  explicit TarFile(std::shared_ptr<const FileMap> map);

  std::shared_ptr<const FileMap> map_;
  std::vector<TarMember> members_;
  std::vector<std::string> folders_;
  std::vector<std::string> skipped_;
};

}  // namespace saccade::data
