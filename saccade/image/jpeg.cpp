#include "saccade/image/jpeg.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <jpeglib.h>

#include <jerror.h>

#include "saccade/base/checked.h"
#include "saccade/base/error.h"
#include "saccade/image/exif.h"

namespace saccade::image {
namespace {

using Bytes = std::span<const std::byte>;

/// What the markers say. Source: ITU-T T.81, annex B.
struct Markers {
  int64_t width = 0;
  int64_t height = 0;
  int components = 0;
  int precision = 0;
  int64_t scans = 0;
  uint64_t frame = 0;           ///< where the frame header stands
  uint64_t end = 0;             ///< where the walk ended
  std::vector<std::byte> exif;  ///< payloads of all EXIF segments, joined
  std::string_view xmp;
};

constexpr int kEoi = 0xD9, kSos = 0xDA, kTem = 0x01, kApp1 = 0xE1;

int byte_at(Bytes bytes, size_t at) { return std::to_integer<int>(bytes[at]); }
int word_at(Bytes bytes, size_t at) { return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1); }

bool is_restart(int marker) { return marker >= 0xD0 && marker <= 0xD7; }
/// A frame header of any kind; C4, C8 and CC lie in the same range but are none.
bool is_frame(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// The next marker at or behind `at`: skips fill bytes, stuffed zeros and anything else, as
/// libjpeg does. Returns the position behind it; 0 if there is none.
size_t next_marker(Bytes bytes, size_t at, int& marker) {
  while (at + 1 < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, 0xFF, bytes.size() - 1 - at);
    if (found == nullptr) return 0;
    at = static_cast<const std::byte*>(found) - bytes.data() + 1;
    marker = byte_at(bytes, at);
    if (marker != 0x00 && marker != 0xFF) return at + 1;
  }
  return 0;
}

void keep_metadata(Bytes payload, Markers& result) {
  const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
  constexpr std::string_view exif("Exif\0\0", 6), xmp("http://ns.adobe.com/xap/1.0/\0", 29);
  if (text.starts_with(exif))
    result.exif.insert(result.exif.end(), payload.begin() + exif.size(), payload.end());
  else if (text.starts_with(xmp))
    result.xmp = text.substr(xmp.size());
}

void keep_frame(Bytes payload, size_t offset, Markers& result, std::string_view file) {
  if (payload.size() < 6) throw input_error_at(file, offset, "the JPEG frame header is cut short");
  result.frame = offset;
  result.precision = byte_at(payload, 0);
  result.height = word_at(payload, 1);
  result.width = word_at(payload, 3);
  result.components = byte_at(payload, 5);
}

/// Walks the markers of a file: to its first scan, or (`all_scans`) to its end.
Markers walk(Bytes bytes, bool all_scans, std::string_view file) {
  Markers result;
  int marker = 0;
  for (size_t at = 2; (at = next_marker(bytes, at, marker)) != 0;) {
    if (marker == kEoi) break;
    if (is_restart(marker) || marker == kTem || marker == 0xD8) continue;
    const bool complete = bytes.size() - at >= 2 && word_at(bytes, at) >= 2 &&
                          bytes.size() - at >= static_cast<size_t>(word_at(bytes, at));
    if (!complete) {
      if (result.scans > 0) break;  // libjpeg decides whether it needs what follows
      throw input_error_at(file, at, "the JPEG segment FF{:02X} is cut short", marker);
    }
    const Bytes payload = bytes.subspan(at + 2, word_at(bytes, at) - 2);
    if (is_frame(marker) && result.components == 0) keep_frame(payload, at, result, file);
    if (marker == kApp1) keep_metadata(payload, result);
    at += word_at(bytes, at);
    result.end = at;
    if (marker != kSos) continue;
    if (result.components == 0) throw input_error_at(file, at, "a JPEG scan before the frame");
    ++result.scans;
    if (!all_scans) break;
  }
  return result;
}

void check_frame(const Markers& markers, const DecodeOptions& options, std::string_view file) {
  if (markers.components == 0)
    throw input_error_at(file, markers.end, "a JPEG without a frame header");
  if (markers.precision != 8)
    throw input_error_at(file, markers.frame, "JPEG samples of {} bits (only 8 are read)",
                         markers.precision);
  if (markers.components != 1 && markers.components != 3 && markers.components != 4)
    throw input_error_at(file, markers.frame, "a JPEG of {} components (1, 3 or 4 are read)",
                         markers.components);
  check_pixel_budget(markers.width, markers.height, options.max_pixels, file, markers.frame);
  if (markers.scans == 0) throw input_error_at(file, markers.end, "a JPEG without a scan");
  if (markers.scans * markers.width * markers.height > kMaxScanPixels)
    throw input_error_at(file, markers.frame,
                         "{} scans over {} x {} pixels exceed the work allowed ({} in all)",
                         markers.scans, markers.width, markers.height, kMaxScanPixels);
}

/// libjpeg's view of one decompression, with errors that jump out instead of exiting.
struct Decompressor {
  Decompressor() = default;
  ~Decompressor() { jpeg_destroy_decompress(&info); }  // also right before it was created
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  std::jmp_buf jump{};
  bool ended = false;  ///< the data ended before the picture did
  char message[JMSG_LENGTH_MAX] = {};
};

Decompressor& self(j_common_ptr info) { return *static_cast<Decompressor*>(info->client_data); }

[[noreturn]] void on_error(j_common_ptr info) {
  Decompressor& d = self(info);
  info->err->format_message(info, d.message);
  std::longjmp(d.jump, 1);
}

[[noreturn]] void on_end_of_data(j_decompress_ptr info) {
  Decompressor& d = *static_cast<Decompressor*>(info->client_data);
  d.ended = true;
  std::snprintf(d.message, sizeof(d.message), "the data ends before the picture is complete");
  std::longjmp(d.jump, 1);
}

boolean fill_input_buffer(j_decompress_ptr info) { on_end_of_data(info); }

void skip_input_data(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  if (static_cast<size_t>(count) > info->src->bytes_in_buffer) on_end_of_data(info);
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= count;
}

uint8_t clip(int value) { return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value); }

/// Pillow takes every file of four components for Adobe's inverted CMYK, and converts:
/// RGB = (255 - K) * (255 - C) / 255, in its rounding.
void cmyk_to_rgb(const uint8_t* cmyk, int64_t width, uint8_t* rgb) {
  for (int64_t x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int white = cmyk[3];  // inverted: 255 - K
    for (int c = 0; c < 3; ++c) {
      const int t = (255 - cmyk[c]) * white + 128;
      rgb[c] = clip(white - (((t >> 8) + t) >> 8));
    }
  }
}

class JpegReader : public RowReader {
 public:
  JpegReader(Bytes bytes, const Markers& markers, std::string_view file)
      : bytes_(bytes), file_(file) {
    width_ = markers.width;
    height_ = markers.height;
    orientation_ =
        exif_orientation(markers.exif).value_or(xmp_orientation(markers.xmp).value_or(1));
    guarded([](JpegReader& r) { r.start(); });
    if (d_.info.output_components == 4) cmyk_.resize(width_ * 4);
  }

  void read(uint8_t* rows, int64_t count) override {
    rows_ = rows;
    wanted_ = count;
    guarded([](JpegReader& r) { r.read_rows(); });
    if (static_cast<int64_t>(d_.info.output_scanline) == height_) finish();
  }

 private:
  /// Runs libjpeg calls; no object with a destructor may live in them.
  void guarded(void (*body)(JpegReader&)) {
    if (setjmp(d_.jump) != 0) fail();
    body(*this);
  }

  [[noreturn]] void fail() const {
    const auto left = d_.info.src != nullptr ? d_.info.src->bytes_in_buffer : bytes_.size();
    throw input_error_at(file_, bytes_.size() - left, "broken JPEG: {}", d_.message);
  }

  /// Also reads all scans of a file that has several, so that a broken one is found before
  /// anybody takes memory for pixels.
  void start() {
    d_.info.err = jpeg_std_error(&d_.errors);
    d_.info.client_data = &d_;
    d_.errors.error_exit = on_error;
    d_.errors.output_message = [](j_common_ptr) {};
    jpeg_create_decompress(&d_.info);
    d_.source.init_source = [](j_decompress_ptr) {};
    d_.source.fill_input_buffer = fill_input_buffer;
    d_.source.skip_input_data = skip_input_data;
    d_.source.resync_to_restart = jpeg_resync_to_restart;
    d_.source.term_source = [](j_decompress_ptr) {};
    d_.source.next_input_byte = reinterpret_cast<const JOCTET*>(bytes_.data());
    d_.source.bytes_in_buffer = bytes_.size();
    d_.info.src = &d_.source;
    jpeg_read_header(&d_.info, TRUE);
    if (d_.info.image_width != width_ || d_.info.image_height != height_)
      ERREXIT(&d_.info, JERR_SOF_DUPLICATE);  // the budget was checked for another frame
    d_.info.out_color_space = d_.info.num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&d_.info);
  }

  void read_rows() {
    for (int64_t y = 0; y < wanted_; ++y) {
      uint8_t* to = rows_ + y * width_ * 3;
      JSAMPROW row = cmyk_.empty() ? to : cmyk_.data();
      jpeg_read_scanlines(&d_.info, &row, 1);
      if (!cmyk_.empty()) cmyk_to_rgb(row, width_, to);
    }
  }

  /// What follows the last row must be sound as far as it goes; it may be missing, as in Pillow.
  void finish() {
    if (setjmp(d_.jump) != 0) {
      if (!d_.ended) fail();
      return;
    }
    jpeg_finish_decompress(&d_.info);
  }

  Bytes bytes_;
  std::string file_;
  Decompressor d_;
  std::vector<uint8_t> cmyk_;  ///< one row, for files of four components
  uint8_t* rows_ = nullptr;    ///< of the read in progress
  int64_t wanted_ = 0;
};

}  // namespace

bool looks_like_jpeg(Bytes bytes) {
  return bytes.size() >= 3 && byte_at(bytes, 0) == 0xFF && byte_at(bytes, 1) == 0xD8 &&
         byte_at(bytes, 2) == 0xFF;
}

ImageInfo probe_jpeg(Bytes bytes, std::string_view file) {
  const Markers markers = walk(bytes, false, file);
  DecodeOptions any_size;
  any_size.max_pixels = INT64_MAX;
  check_frame(markers, any_size, file);
  return {"jpeg", markers.width, markers.height, markers.components, markers.precision};
}

std::unique_ptr<RowReader> open_jpeg(Bytes bytes, const DecodeOptions& options,
                                     std::string_view file) {
  const Markers markers = walk(bytes, true, file);
  check_frame(markers, options, file);
  return std::make_unique<JpegReader>(bytes, markers, file);
}

}  // namespace saccade::image
