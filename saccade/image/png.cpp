#include "saccade/image/png.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <png.h>

#include "saccade/base/error.h"
#include "saccade/image/exif.h"

namespace saccade::image {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::array<uint8_t, 8> kSignature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

uint32_t u32_at(Bytes bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<uint32_t>(bytes[at + i]);
  return value;
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

int channels_of(int colour_type) {
  switch (colour_type) {
    case PNG_COLOR_TYPE_RGB: return 3;
    case PNG_COLOR_TYPE_GRAY_ALPHA: return 2;
    case PNG_COLOR_TYPE_RGB_ALPHA: return 4;
    default: return 1;
  }
}

/// The orientation in an eXIf chunk, else in an XMP packet, wherever they stand.
int orientation_of(Bytes bytes) {
  std::optional<int> from_xmp;
  for (size_t at = kSignature.size(); bytes.size() - at >= 12;) {
    const uint64_t length = u32_at(bytes, at);
    if (length > bytes.size() - at - 12) break;
    const std::string_view type = text_of(bytes.subspan(at + 4, 4));
    const Bytes data = bytes.subspan(at + 8, length);
    if (type == "eXIf")
      if (const auto found = exif_orientation(data)) return *found;
    if (type == "iTXt" && text_of(data).starts_with("XML:com.adobe.xmp"))
      from_xmp = xmp_orientation(text_of(data));
    at += length + 12;
  }
  return from_xmp.value_or(1);
}

/// libpng's view of one picture.
struct Input {
  Bytes bytes;
  size_t at = 0;
  char message[256] = {};
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto& input = *static_cast<Input*>(png_get_error_ptr(png));
  std::snprintf(input.message, sizeof(input.message), "%s", message);
  png_longjmp(png, 1);
}

void on_read(png_structp png, png_bytep to, size_t count) {
  auto& input = *static_cast<Input*>(png_get_io_ptr(png));
  if (count > input.bytes.size() - input.at)
    png_error(png, "the data ends before the picture is complete");
  std::memcpy(to, input.bytes.data() + input.at, count);
  input.at += count;
}

struct Handle {
  Handle() = default;
  ~Handle() { png_destroy_read_struct(&png, &info, nullptr); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  png_structp png = nullptr;
  png_infop info = nullptr;
};

class PngReader : public RowReader {
 public:
  PngReader(Bytes bytes, std::string_view file) : input_{bytes, 0, {}}, file_(file) {
    handle_.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input_, on_error,
                                         [](png_structp, png_const_charp) {});
    if (handle_.png != nullptr) handle_.info = png_create_info_struct(handle_.png);
    if (handle_.info == nullptr) throw resource_error("{}: libpng found no memory", file);
    guarded([](PngReader& r) { r.start(r.handle_.png, r.handle_.info); });
    orientation_ = orientation_of(bytes);
  }

  void read(uint8_t* rows, int64_t count) override {
    if (interlaced_ && whole_.empty()) read_interlaced();
    if (wide_gray_ && !interlaced_) whole_.resize(2 * width_);
    rows_ = rows;
    wanted_ = count;
    if (interlaced_)
      deliver_interlaced();
    else
      guarded([](PngReader& r) { r.read_rows(); });
    done_ += count;
    if (done_ == height_) guarded([](PngReader& r) { png_read_end(r.handle_.png, nullptr); });
  }

 private:
  /// Runs libpng calls; no object with a destructor may live in them.
  void guarded(void (*body)(PngReader&)) {
    if (setjmp(png_jmpbuf(handle_.png)) != 0)
      throw input_error_at(file_, input_.at, "broken PNG: {}", input_.message);
    body(*this);
  }

  void start(png_structp png, png_infop info) {
    png_set_read_fn(png, &input_, on_read);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // no text, no ICC
    png_read_info(png, info);
    width_ = png_get_image_width(png, info);
    height_ = png_get_image_height(png, info);
    const int type = png_get_color_type(png, info);
    const int depth = png_get_bit_depth(png, info);
    wide_gray_ = type == PNG_COLOR_TYPE_GRAY && depth == 16;
    if (!wide_gray_) {
      if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
      if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
      if (depth == 16) png_set_strip_16(png);
      png_set_strip_alpha(png);
      if ((type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
    }
    interlaced_ = png_set_interlace_handling(png) > 1;
    png_read_update_info(png, info);
    const size_t expected = static_cast<size_t>(width_) * (wide_gray_ ? 2 : 3);
    if (png_get_rowbytes(png, info) != expected) png_error(png, "unexpected size of a row");
  }

  /// Big-endian samples of 16 bits: Pillow's mode I;16, which convert("RGB") clips.
  void expand_gray(const uint8_t* samples, uint8_t* rgb) const {
    for (int64_t x = 0; x < width_; ++x)
      std::fill_n(rgb + 3 * x, 3, samples[2 * x] != 0 ? uint8_t{255} : samples[2 * x + 1]);
  }

  void read_rows() {
    for (int64_t y = 0; y < wanted_; ++y) {
      uint8_t* to = rows_ + y * width_ * 3;
      png_read_row(handle_.png, wide_gray_ ? whole_.data() : to, nullptr);
      if (wide_gray_) expand_gray(whole_.data(), to);
    }
  }

  void read_interlaced() {
    const int64_t row_bytes = width_ * (wide_gray_ ? 2 : 3);
    whole_.resize(height_ * row_bytes);
    pointers_.resize(height_);
    for (int64_t y = 0; y < height_; ++y) pointers_[y] = whole_.data() + y * row_bytes;
    guarded([](PngReader& r) { png_read_image(r.handle_.png, r.pointers_.data()); });
  }

  void deliver_interlaced() {
    for (int64_t y = 0; y < wanted_; ++y) {
      const uint8_t* from = pointers_[done_ + y];
      if (wide_gray_)
        expand_gray(from, rows_ + y * width_ * 3);
      else
        std::memcpy(rows_ + y * width_ * 3, from, width_ * 3);
    }
  }

  Input input_;
  std::string file_;
  Handle handle_;
  bool wide_gray_ = false;
  bool interlaced_ = false;
  std::vector<uint8_t> whole_;       ///< interlaced: the picture; 16-bit gray: one row
  std::vector<png_bytep> pointers_;  ///< interlaced: its rows
  int64_t done_ = 0;
  uint8_t* rows_ = nullptr;  ///< of the read in progress
  int64_t wanted_ = 0;
};

}  // namespace

bool looks_like_png(Bytes bytes) {
  return bytes.size() >= kSignature.size() &&
         std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

ImageInfo probe_png(Bytes bytes, std::string_view file) {
  constexpr size_t kHeaderEnd = 8 + 8 + 13 + 4;
  if (bytes.size() < kHeaderEnd)
    throw input_error_at(file, bytes.size(), "the PNG ends inside its header");
  if (u32_at(bytes, 8) != 13 || text_of(bytes.subspan(12, 4)) != "IHDR")
    throw input_error_at(file, 8, "the PNG does not begin with an IHDR chunk of 13 bytes");
  const int type = std::to_integer<int>(bytes[25]);
  return {"png", u32_at(bytes, 16), u32_at(bytes, 20), channels_of(type),
          std::to_integer<int>(bytes[24])};
}

std::unique_ptr<RowReader> open_png(Bytes bytes, const DecodeOptions& options,
                                    std::string_view file) {
  const ImageInfo info = probe_png(bytes, file);
  check_pixel_budget(info.width, info.height, options.max_pixels, file, 16);
  return std::make_unique<PngReader>(bytes, file);
}

}  // namespace saccade::image
