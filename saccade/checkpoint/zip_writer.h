#pragma once
// Zip archives with stored entries, as torch.save writes them: the data of every entry starts at a
// multiple of 64 bytes; zip64 fields where a size or an offset needs them.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/file.h"

namespace saccade::checkpoint {

class ZipWriter {
 public:
  explicit ZipWriter(const ByteSink& sink) : sink_(sink) {}

  using Parts = std::initializer_list<std::span<const std::byte>>;
  /// Writes one entry, its parts one behind the other; `name` is a path with '/' between its
  /// folders.
  void add(std::string name, Parts parts);
  void add(std::string name, std::span<const std::byte> data) { add(std::move(name), {data}); }
  void add(std::string name, std::string_view text);
  /// Writes the directory. Nothing may be added afterwards.
  void finish();

 private:
  struct Written {
    std::string name;
    uint64_t header = 0, size = 0;
    uint32_t crc = 0;
  };

  void put(std::string_view bytes);
  void put_central(const Written& entry);
  void put_end(uint64_t directory);

  const ByteSink& sink_;
  uint64_t at_ = 0;  ///< bytes written
  std::vector<Written> entries_;
};

}  // namespace saccade::checkpoint
