#include "saccade/image/decode.h"

#include "saccade/base/checked.h"
#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/image/jpeg.h"
#include "saccade/image/png.h"
#include "saccade/image/transform.h"

namespace saccade::image {
namespace {

[[noreturn]] void refuse_format(std::span<const std::byte> bytes, std::string_view file) {
  if (bytes.empty()) throw input_error_at(file, 0, "the file is empty");
  throw input_error_at(file, 0, "not a picture that Saccade reads (JPEG or PNG)");
}

}  // namespace

void check_pixel_budget(int64_t width, int64_t height, int64_t max_pixels, std::string_view file,
                        uint64_t offset) {
  if (width < 1 || height < 1)
    throw input_error_at(file, offset, "a picture of {} x {} pixels has no content", width, height);
  const auto pixels = checked_mul(width, height);
  if (!pixels || *pixels > max_pixels)
    throw input_error_at(file, offset, "{} x {} pixels exceed the budget of {} (see --max-pixels)",
                         width, height, max_pixels);
}

bool looks_like_image(std::span<const std::byte> bytes) {
  return looks_like_jpeg(bytes) || looks_like_png(bytes);
}

ImageInfo probe(std::span<const std::byte> bytes, std::string_view file) {
  if (looks_like_jpeg(bytes)) return probe_jpeg(bytes, file);
  if (looks_like_png(bytes)) return probe_png(bytes, file);
  refuse_format(bytes, file);
}

std::unique_ptr<RowReader> open_rows(std::span<const std::byte> bytes, const DecodeOptions& options,
                                     std::string_view file) {
  if (looks_like_jpeg(bytes)) return open_jpeg(bytes, options, file);
  if (looks_like_png(bytes)) return open_png(bytes, options, file);
  refuse_format(bytes, file);
}

Image read_picture(RowReader& reader, const DecodeOptions& options) {
  Image picture = blank(reader.height(), reader.width(), 3);
  reader.read(picture.pixels.data(), picture.height);
  return options.apply_exif_orientation ? upright(std::move(picture), reader.orientation())
                                        : picture;
}

Image decode(std::span<const std::byte> bytes, const DecodeOptions& options,
             std::string_view file) {
  const auto reader = open_rows(bytes, options, file);
  return read_picture(*reader, options);
}

Image read_image(const std::filesystem::path& path, const DecodeOptions& options) {
  const auto file = FileMap::open(path);
  return decode(file->bytes(), options, path.string());
}

}  // namespace saccade::image
