#include "saccade/image/preprocess.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "saccade/base/check.h"
#include "saccade/base/file.h"
#include "saccade/image/resample.h"
#include "saccade/image/resize.h"
#include "saccade/image/transform.h"

namespace saccade::image {
namespace {

using Size = std::pair<int64_t, int64_t>;  // height, width

Size resized_size(const Pipeline& p, int64_t height, int64_t width) {
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  const double by_height = h / static_cast<double>(p.resize_height);
  const double by_width = w / static_cast<double>(p.resize_width);
  // Python's round: half to even
  const auto scaled = [&](double ratio) {
    return Size{static_cast<int64_t>(std::nearbyint(h / ratio)),
                static_cast<int64_t>(std::nearbyint(w / ratio))};
  };
  switch (p.resize) {
    case ResizeRule::none: return {height, width};
    case ResizeRule::shorter_side: return shorter_side_size(height, width, p.resize_height);
    case ResizeRule::cover: return scaled(std::min(by_height, by_width));
    case ResizeRule::fit: return scaled(std::max(by_height, by_width));
    case ResizeRule::exact: return {p.resize_height, p.resize_width};
  }
  throw InternalError("unknown resize rule");
}

/// Where a crop of `wanted` begins in `size` pixels; negative: padding before it.
int64_t crop_offset(CropRule rule, int64_t size, int64_t wanted) {
  const int64_t spare = size - wanted;
  if (rule == CropRule::centre_floor) return spare >= 0 ? spare / 2 : -((-spare + 1) / 2);
  if (spare < 0) return -(-spare / 2);
  return static_cast<int64_t>(std::nearbyint(static_cast<double>(spare) / 2.0));
}

/// The part of the resized picture that the output shows.
Window visible(const SizePath& path) {
  const auto [height, width] = path.resized;
  const int64_t top = std::max<int64_t>(0, path.top), left = std::max<int64_t>(0, path.left);
  return {top, left, std::min(height, path.top + path.output.first) - top,
          std::min(width, path.left + path.output.second) - left};
}

ResizeRequest resize_request(const Pipeline& pipeline, const SizePath& path) {
  return {path.resized.first, path.resized.second, pipeline.interpolation, {},
          visible(path),      PillowRules::v13};
}

/// Puts the visible part into the output, surrounded by the fill value.
Image pad_visible(Image part, const Pipeline& pipeline, const SizePath& path) {
  const auto [height, width] = path.output;
  if (part.height == height && part.width == width) return part;
  const auto& f = pipeline.fill;
  return crop(part, std::min<int64_t>(0, path.top), std::min<int64_t>(0, path.left), height, width,
              {f[0], f[1], f[2], 0});
}

/// What each of the 256 values of a channel becomes, in the reference's arithmetic.
std::array<float, 256> value_table(const Pipeline& p, int channel) {
  const auto mean = static_cast<float>(p.mean[channel]), std = static_cast<float>(p.std[channel]);
  std::array<float, 256> table{};
  for (int v = 0; v < 256; ++v) {
    auto value = static_cast<float>(v);
    if (p.do_rescale)
      value = p.rescale_in_double ? static_cast<float>(v * p.rescale) : value / 255.0f;
    if (p.do_normalize) value = (value - mean) / std;
    table[v] = value;
  }
  return table;
}

HostTensor to_tensor(const Image& picture, const Pipeline& pipeline) {
  const int64_t pixels = picture.height * picture.width;
  HostTensor result(DType::F32, {3, picture.height, picture.width});
  const auto out = result.fill<float>();
  for (int c = 0; c < 3; ++c) {
    const auto table = value_table(pipeline, c);
    for (int64_t i = 0; i < pixels; ++i) out[c * pixels + i] = table[picture.pixels[3 * i + c]];
  }
  return result;
}

/// Rows are decoded in bands that stay in cache until the horizontal pass has read them.
Image resize_by_bands(RowReader& reader, const ResizeRequest& request) {
  constexpr int64_t kBandRows = 64;
  Resampler resampler(reader.height(), reader.width(), 3, request);
  const int64_t row_bytes = reader.width() * 3;
  std::vector<uint8_t> band(std::min(kBandRows, reader.height()) * row_bytes + kRowSlack);
  for (int64_t y = 0; y < reader.height(); y += kBandRows) {
    const int64_t rows = std::min(kBandRows, reader.height() - y);
    reader.read(band.data(), rows);
    resampler.push(band.data(), y, rows, static_cast<int64_t>(band.size()));
  }
  return resampler.finish();
}

bool goes_by_bands(const RowReader& reader, const Pipeline& pipeline,
                   const ResizeRequest& request) {
  const bool turned = pipeline.apply_exif_orientation && reader.orientation() != 1;
  const bool filters =
      pipeline.resize != ResizeRule::none && pipeline.interpolation != Interpolation::nearest;
  return !turned && filters && !vertical_first(reader.height(), reader.width(), request);
}

}  // namespace

std::pair<int64_t, int64_t> shorter_side_size(int64_t height, int64_t width, int64_t size,
                                              int64_t max_size) {
  const bool tall = width <= height;
  const int64_t short_side = tall ? width : height, long_side = tall ? height : width;
  // Python: int(size * long / short), the division in double
  const auto scaled = [](int64_t a, int64_t b, int64_t c) {
    return static_cast<int64_t>(static_cast<double>(a * b) / static_cast<double>(c));
  };
  int64_t new_short = size, new_long = scaled(size, long_side, short_side);
  if (max_size > 0 && new_long > max_size) {
    new_short = scaled(max_size, new_short, new_long);
    new_long = max_size;
  }
  return tall ? Size{new_long, new_short} : Size{new_short, new_long};
}

SizePath size_path(const Pipeline& pipeline, int64_t height, int64_t width, std::string_view file) {
  constexpr int64_t kMaxResizedSide = 1 << 26;  // only the visible part is computed
  SizePath path;
  path.resized = resized_size(pipeline, height, width);
  const auto [h, w] = path.resized;
  path.output = path.resized;
  if (pipeline.crop != CropRule::none) {
    path.output = {pipeline.crop_height, pipeline.crop_width};
    path.top = crop_offset(pipeline.crop, h, pipeline.crop_height);
    path.left = crop_offset(pipeline.crop, w, pipeline.crop_width);
  }
  const bool possible = h >= 1 && w >= 1 && h <= kMaxResizedSide && w <= kMaxResizedSide &&
                        path.output.first * path.output.second <= kMaxPipelinePixels;
  if (!possible)
    throw input_error(file, "the pipeline makes {} x {} pixels into {} x {}, which is {}", width,
                      height, w, h, h < 1 || w < 1 ? "nothing" : "too much");
  return path;
}

std::pair<int64_t, int64_t> output_size(const Pipeline& pipeline, int64_t height, int64_t width) {
  return size_path(pipeline, height, width, "picture").output;
}

Image fit_picture(const Image& rgb, const Pipeline& pipeline) {
  SACCADE_CHECK(rgb.channels == 3, "a picture of {} channels", rgb.channels);
  const SizePath path = size_path(pipeline, rgb.height, rgb.width, "picture");
  return pad_visible(resize(rgb, resize_request(pipeline, path)), pipeline, path);
}

HostTensor preprocess(const Image& rgb, const Pipeline& pipeline) {
  return to_tensor(fit_picture(rgb, pipeline), pipeline);
}

Preprocessed decode_and_preprocess(std::span<const std::byte> bytes, const Pipeline& pipeline,
                                   int64_t max_pixels, std::string_view file) {
  const DecodeOptions options{max_pixels, pipeline.apply_exif_orientation};
  const auto reader = open_rows(bytes, options, file);
  Preprocessed result;
  result.height = reader->height();
  result.width = reader->width();
  if (options.apply_exif_orientation && turns_sideways(reader->orientation()))
    std::swap(result.height, result.width);
  result.path = size_path(pipeline, result.height, result.width, file);
  const ResizeRequest request = resize_request(pipeline, result.path);
  if (goes_by_bands(*reader, pipeline, request))
    result.tensor =
        to_tensor(pad_visible(resize_by_bands(*reader, request), pipeline, result.path), pipeline);
  else
    result.tensor = preprocess(read_picture(*reader, options), pipeline);
  return result;
}

HostTensor read_and_preprocess(const std::filesystem::path& path, const Pipeline& pipeline,
                               int64_t max_pixels) {
  const auto file = FileMap::open(path);
  return decode_and_preprocess(file->bytes(), pipeline, max_pixels, path.string()).tensor;
}

}  // namespace saccade::image
