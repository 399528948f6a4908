#include "saccade/image/encode.h"

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <jpeglib.h>
#include <png.h>

#include "saccade/base/check.h"
#include "saccade/base/file.h"

namespace saccade::image {
namespace {

void require_whole(const Image& picture) {
  const bool whole =
      picture.width >= 1 && picture.height >= 1 && picture.channels >= 1 && picture.channels <= 4 &&
      static_cast<int64_t>(picture.pixels.size()) == picture.height * picture.row_bytes();
  SACCADE_CHECK(whole, "{} x {} x {} with {} samples", picture.width, picture.height,
                picture.channels, picture.pixels.size());
}

/// One PNG in the making; libpng's errors jump back into write().
class PngWriter {
 public:
  explicit PngWriter(const Image& picture) : picture_(picture) {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr,
                                   [](png_structp, png_const_charp) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  std::vector<std::byte> write() {
    if (info_ == nullptr || setjmp(png_jmpbuf(png_)) != 0)
      throw resource_error("libpng could not write {} x {} pixels", picture_.width,
                           picture_.height);
    write_all();
    return std::move(out_);
  }

 private:
  void write_all() {
    static constexpr std::array<int, 4> types{PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                              PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    png_set_write_fn(
        png_, &out_,
        [](png_structp png, png_bytep bytes, size_t count) {
          auto& out = *static_cast<std::vector<std::byte>*>(png_get_io_ptr(png));
          const auto* from = reinterpret_cast<const std::byte*>(bytes);
          out.insert(out.end(), from, from + count);
        },
        nullptr);
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(picture_.width),
                 static_cast<png_uint_32>(picture_.height), 8, types[picture_.channels - 1],
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    for (int64_t y = 0; y < picture_.height; ++y) png_write_row(png_, picture_.row(y));
    png_write_end(png_, nullptr);
  }

  const Image& picture_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::vector<std::byte> out_;
};

/// One JPEG in the making; libjpeg's errors jump back into write().
class JpegWriter {
 public:
  JpegWriter(const Image& picture, int quality) : picture_(picture), quality_(quality) {}
  ~JpegWriter() {
    jpeg_destroy_compress(&info_);
    std::free(buffer_);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  std::vector<std::byte> write() {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.output_message = [](j_common_ptr) {};
    errors_.error_exit = [](j_common_ptr info) {
      auto& self = *static_cast<JpegWriter*>(info->client_data);
      info->err->format_message(info, self.message_);
      std::longjmp(self.jump_, 1);
    };
    if (setjmp(jump_) != 0) throw resource_error("libjpeg: {}", message_);
    write_all();
    const auto* bytes = reinterpret_cast<const std::byte*>(buffer_);
    return {bytes, bytes + size_};
  }

 private:
  void write_all() {
    jpeg_create_compress(&info_);
    jpeg_mem_dest(&info_, &buffer_, &size_);
    info_.image_width = static_cast<JDIMENSION>(picture_.width);
    info_.image_height = static_cast<JDIMENSION>(picture_.height);
    info_.input_components = static_cast<int>(picture_.channels);
    info_.in_color_space = picture_.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality_, TRUE);
    jpeg_start_compress(&info_, TRUE);
    for (int64_t y = 0; y < picture_.height; ++y) {
      auto* row = const_cast<JSAMPROW>(picture_.row(y));  // libjpeg only reads it
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
  }

  const Image& picture_;
  int quality_;
  jpeg_compress_struct info_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf jump_{};
  unsigned char* buffer_ = nullptr;
  unsigned long size_ = 0;
  char message_[JMSG_LENGTH_MAX] = {};
};

}  // namespace

std::vector<std::byte> encode_png(const Image& picture) {
  require_whole(picture);
  return PngWriter(picture).write();
}

std::vector<std::byte> encode_jpeg(const Image& picture, int quality) {
  require_whole(picture);
  if (picture.channels != 1 && picture.channels != 3)
    throw usage_error("a JPEG holds 1 or 3 channels, not {}", picture.channels);
  if (quality < 1 || quality > 100)
    throw usage_error("the quality of a JPEG lies in 1 .. 100, not {}", quality);
  return JpegWriter(picture, quality).write();
}

void write_image(const std::filesystem::path& path, const Image& picture) {
  const std::string extension = path.extension().string();
  std::vector<std::byte> bytes;
  if (extension == ".png")
    bytes = encode_png(picture);
  else if (extension == ".jpg" || extension == ".jpeg")
    bytes = encode_jpeg(picture);
  else
    throw usage_error("{}: pictures are written as .png, .jpg or .jpeg", path.string());
  write_file_atomically(path, [&](const ByteSink& sink) { sink(bytes); });
}

}  // namespace saccade::image
