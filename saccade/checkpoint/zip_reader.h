#pragma once
// Zip archives as torch.save, numpy.savez and ordinary zip programs write them. The central
// directory is the truth, and the local headers and data descriptors must agree with it. Source:
// APPNOTE 6.3.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/checkpoint/common/budget.h"
#include "saccade/checkpoint/common/contents.h"

namespace saccade::checkpoint {

struct ZipEntry {
  std::string name;
  uint64_t header = 0;       ///< offset of the local header
  uint64_t data = 0;         ///< offset of the (compressed) bytes
  uint64_t stored_size = 0;  ///< bytes in the file
  uint64_t size = 0;         ///< bytes after inflating
  uint32_t crc = 0;
  bool deflated = false;
};

/// The bytes of an entry, and who keeps them.
struct ZipData {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

class ZipArchive {
 public:
  /// Reads and checks the directory, every local header and every descriptor; no data yet.
  /// Throws Error (bad_input) with offset and entry name.
  ZipArchive(const Input& input, Budget& budget);

  /// Files in the order of the central directory (folders are left out).
  [[nodiscard]] const std::vector<ZipEntry>& entries() const { return entries_; }
  /// Null if there is none of that name.
  [[nodiscard]] const ZipEntry* find(std::string_view name) const;

  /// A stored entry as it lies in the file, sum unchecked; a deflated one inflated and checked.
  [[nodiscard]] ZipData read(const ZipEntry& entry, Budget& budget) const;
  /// Throws Error (bad_input) if the sum of a stored entry is wrong.
  void verify(const ZipEntry& entry) const;
  /// `read` and `verify`.
  [[nodiscard]] ZipData read_verified(const ZipEntry& entry, Budget& budget) const;

 private:
  struct Directory {
    uint64_t offset = 0, size = 0, count = 0;
  };

  template <class... Args>
  [[nodiscard]] Error fail(uint64_t offset, fmt::format_string<Args...> text,
                           Args&&... args) const {
    return input_error_at(input_.file, offset, text, std::forward<Args>(args)...);
  }
  [[nodiscard]] Directory find_directory() const;
  [[nodiscard]] Directory read_zip64_end(uint64_t locator, const Directory& plain) const;
  void read_directory(const Directory& directory, Budget& budget);
  [[nodiscard]] uint64_t read_central_entry(uint64_t at, uint64_t end, ZipEntry& entry);
  void read_central_zip64(uint64_t at, uint64_t size, ZipEntry& entry, uint16_t disk) const;
  void check_name(uint64_t offset, std::string_view name) const;
  [[nodiscard]] uint64_t check_local_header(ZipEntry& entry, uint16_t flags) const;
  [[nodiscard]] uint64_t check_descriptor(const ZipEntry& entry) const;
  void check_layout(const std::vector<std::pair<uint64_t, uint64_t>>& extents,
                    const Directory& directory) const;
  void sort_names();

  Input input_;
  std::vector<ZipEntry> entries_;
  std::vector<uint32_t> by_name_;  ///< indices into entries_, sorted by name
};

}  // namespace saccade::checkpoint
