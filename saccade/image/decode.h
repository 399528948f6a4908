#pragma once
// JPEG and PNG to RGB, equal to Pillow's convert("RGB") to the bit.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "saccade/image/image.h"

namespace saccade::image {

struct DecodeOptions {
  /// Refused above this, before memory is taken (--max-pixels).
  int64_t max_pixels = 64'000'000;
  /// Turns the picture as its EXIF orientation says (Pillow's ImageOps.exif_transpose).
  bool apply_exif_orientation = false;
};

/// RGB pixels. Throws Error (bad_input: file, offset where known, reason) for anything that is not
/// a complete JPEG or PNG within the pixel budget. `file` names the source in messages.
[[nodiscard]] Image decode(std::span<const std::byte> bytes, const DecodeOptions& options,
                           std::string_view file);
[[nodiscard]] Image read_image(const std::filesystem::path& path,
                               const DecodeOptions& options = {});

/// What the header says, without decoding.
struct ImageInfo {
  std::string_view format;  ///< "jpeg" or "png"
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 0;  ///< as stored
  int bit_depth = 8;
};
[[nodiscard]] bool looks_like_image(std::span<const std::byte> bytes);
[[nodiscard]] ImageInfo probe(std::span<const std::byte> bytes, std::string_view file);

/// The rows of a picture from top to bottom, as stored (before any turning), in RGB.
class RowReader {
 public:
  virtual ~RowReader() = default;
  [[nodiscard]] int64_t width() const { return width_; }
  [[nodiscard]] int64_t height() const { return height_; }
  /// EXIF orientation, 1 (upright) if there is none.
  [[nodiscard]] int orientation() const { return orientation_; }
  /// The next `count` rows of width * 3 bytes. After the last row the rest of the file has been
  /// checked as well. Throws Error (bad_input).
  virtual void read(uint8_t* rows, int64_t count) = 0;

 protected:
  int64_t width_ = 0;
  int64_t height_ = 0;
  int orientation_ = 1;
};

/// Headers are read and the budget is checked before memory is taken; `bytes` must outlive the
/// reader. Files of several scans are read to their end here.
[[nodiscard]] std::unique_ptr<RowReader> open_rows(std::span<const std::byte> bytes,
                                                   const DecodeOptions& options,
                                                   std::string_view file);

/// All rows of a fresh reader, turned upright if the options say so.
[[nodiscard]] Image read_picture(RowReader& reader, const DecodeOptions& options);

/// Throws Error (bad_input) if width * height is 0 or above the budget; the size stands at byte
/// `offset` of the file.
void check_pixel_budget(int64_t width, int64_t height, int64_t max_pixels, std::string_view file,
                        uint64_t offset);

}  // namespace saccade::image
