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
  /// The same from bytes that `owner` keeps alive; `file` names them in messages.
  [[nodiscard]] static std::shared_ptr<const TarFile> parse(std::span<const std::byte> bytes,
                                                            const std::string& file,
                                                            std::shared_ptr<const void> owner);

  /// Regular files in byte order of their names.
  [[nodiscard]] const std::vector<TarMember>& members() const { return members_; }
  /// Folders that the archive names, in byte order.
  [[nodiscard]] const std::vector<std::string>& folders() const { return folders_; }
  /// Members of other kinds (links, devices), in byte order.
  [[nodiscard]] const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  TarFile() = default;

  std::shared_ptr<const void> owner_;
  std::vector<TarMember> members_;
  std::vector<std::string> folders_;
  std::vector<std::string> skipped_;
};

}  // namespace saccade::data
