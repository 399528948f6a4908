#include "saccade/image/transform.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "saccade/base/error.h"
#include "saccade/base/thread_pool.h"

namespace saccade::image {
namespace {

constexpr int64_t kRows = 16;  // of one piece of work

void require_size(int64_t height, int64_t width) {
  if (height < 1 || width < 1)
    throw usage_error("a picture of {} x {}: both sides must be at least 1", width, height);
}

Image filled(int64_t height, int64_t width, int64_t channels, std::array<uint8_t, 4> fill) {
  Image result = blank(height, width, channels);
  if (std::all_of(fill.begin(), fill.begin() + channels, [](uint8_t v) { return v == 0; }))
    return result;
  for (int64_t at = 0; at < height * width; ++at)
    std::copy_n(fill.begin(), channels, result.pixels.begin() + at * channels);
  return result;
}

/// The neighbours of a sampling point: Pillow's filters clamp columns at the border, while a row
/// outside repeats the result of the row before it.
struct Sampler {
  const Image& picture;

  [[nodiscard]] double bilinear(double x, double y, int64_t c) const {
    const auto [left, dx] = split(x);
    const auto [top, dy] = split(y);
    const auto row = [&](int64_t r) {
      const double a = at(r, left, c), b = at(r, left + 1, c);
      return a + (b - a) * dx;
    };
    const double upper = row(std::clamp<int64_t>(top, 0, picture.height - 1));
    const double lower = inside(top + 1) ? row(top + 1) : upper;
    return upper + (lower - upper) * dy;
  }

  [[nodiscard]] double bicubic(double x, double y, int64_t c) const {
    const auto [left, dx] = split(x);
    const auto [top, dy] = split(y);
    const auto row = [&](int64_t r) {
      return cubic(at(r, left - 1, c), at(r, left, c), at(r, left + 1, c), at(r, left + 2, c), dx);
    };
    double rows[4];
    rows[0] = row(std::clamp<int64_t>(top - 1, 0, picture.height - 1));
    for (int i = 1; i < 4; ++i) rows[i] = inside(top - 1 + i) ? row(top - 1 + i) : rows[i - 1];
    return cubic(rows[0], rows[1], rows[2], rows[3], dy);
  }

 private:
  static std::pair<int64_t, double> split(double v) {
    const double whole = std::floor(v);
    return {static_cast<int64_t>(whole), v - whole};
  }
  /// Keys' cubic with a = -1.
  static double cubic(double v1, double v2, double v3, double v4, double d) {
    const double p2 = -v1 + v3;
    const double p3 = 2 * (v1 - v2) + v3 - v4;
    const double p4 = -v1 + v2 - v3 + v4;
    return v2 + d * (p2 + d * (p3 + d * p4));
  }
  [[nodiscard]] bool inside(int64_t row) const { return row >= 0 && row < picture.height; }
  [[nodiscard]] double at(int64_t row, int64_t column, int64_t c) const {
    return picture.row(
        row)[std::clamp<int64_t>(column, 0, picture.width - 1) * picture.channels + c];
  }
};

void copy_pixel(const Image& from, int64_t row, int64_t column, Image& to, int64_t y, int64_t x) {
  std::memcpy(to.row(y) + x * to.channels, from.row(row) + column * from.channels, from.channels);
}

/// Pillow's ImagingScaleAffine and the floating fallback: coordinates grow by addition, truncated
/// where not negative. A result (x, y) reads (x0 + x a + y b, y0 + x d + y e).
void affine_nearest_float(const Image& picture, Image& result, const std::array<double, 6>& m) {
  const auto index = [](double v, int64_t size) {
    const int64_t i = v < 0.0 ? -1 : static_cast<int64_t>(std::min(v, 0x1p40));
    return i < size ? i : -1;
  };
  double row_x = m[2] + m[1] * 0.5 + m[0] * 0.5;
  double row_y = m[5] + m[4] * 0.5 + m[3] * 0.5;
  for (int64_t y = 0; y < result.height; ++y, row_x += m[1], row_y += m[4]) {
    double xx = row_x, yy = row_y;
    for (int64_t x = 0; x < result.width; ++x, xx += m[0], yy += m[3]) {
      const int64_t column = index(xx, picture.width), row = index(yy, picture.height);
      if (column >= 0 && row >= 0) copy_pixel(picture, row, column, result, y, x);
    }
  }
}

/// Pillow's affine_fixed: 16 fractional bits.
void affine_nearest_fixed(const Image& picture, Image& result, const std::array<double, 6>& m) {
  const auto fix = [](double v) { return static_cast<int64_t>(std::floor(v * 65536.0 + 0.5)); };
  const int64_t a0 = fix(m[0]), a1 = fix(m[1]), a3 = fix(m[3]), a4 = fix(m[4]);
  const int64_t x0 = fix(m[2] + m[0] * 0.5 + m[1] * 0.5);
  const int64_t y0 = fix(m[5] + m[3] * 0.5 + m[4] * 0.5);
  parallel_for(result.height, kRows, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < result.width; ++x) {
        const int64_t column = (x0 + y * a1 + x * a0) >> 16;
        const int64_t row = (y0 + y * a4 + x * a3) >> 16;
        if (column >= 0 && column < picture.width && row >= 0 && row < picture.height)
          copy_pixel(picture, row, column, result, y, x);
      }
  });
}

void affine_nearest(const Image& picture, Image& result, const std::array<double, 6>& m) {
  const auto fits = [&](int64_t x, int64_t y) {
    const auto fx = static_cast<double>(x), fy = static_cast<double>(y);
    return std::abs(fx * m[0] + fy * m[1] + m[2]) < 32768.0 &&
           std::abs(fx * m[3] + fy * m[4] + m[5]) < 32768.0;
  };
  const bool scales_only = m[1] == 0 && m[3] == 0;
  const int64_t w = result.width, h = result.height;
  if (!scales_only && fits(0, 0) && fits(w, h) && fits(0, h) && fits(w, 0))
    affine_nearest_fixed(picture, result, m);
  else
    affine_nearest_float(picture, result, m);
}

template <class Sample>
void affine_smooth(const Image& picture, Image& result, const std::array<double, 6>& m,
                   const Sample& sample) {
  parallel_for(result.height, kRows, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < result.width; ++x) {
        const double fx = static_cast<double>(x) + 0.5, fy = static_cast<double>(y) + 0.5;
        const double xin = m[0] * fx + m[1] * fy + m[2];
        const double yin = m[3] * fx + m[4] * fy + m[5];
        const bool inside = xin >= 0.0 && xin < static_cast<double>(picture.width) && yin >= 0.0 &&
                            yin < static_cast<double>(picture.height);
        if (!inside) continue;
        for (int64_t c = 0; c < picture.channels; ++c)
          result.row(y)[x * picture.channels + c] =
              static_cast<uint8_t>(std::clamp(sample(xin - 0.5, yin - 0.5, c), 0.0, 255.0));
      }
  });
}

}  // namespace

Image crop(const Image& picture, int64_t top, int64_t left, int64_t height, int64_t width,
           std::array<uint8_t, 4> fill) {
  require_size(height, width);
  Image result = filled(height, width, picture.channels, fill);
  const int64_t y0 = std::max<int64_t>(0, -top), y1 = std::min(height, picture.height - top);
  const int64_t x0 = std::max<int64_t>(0, -left), x1 = std::min(width, picture.width - left);
  for (int64_t y = y0; y < y1 && x0 < x1; ++y)
    std::memcpy(result.row(y) + x0 * result.channels,
                picture.row(top + y) + (left + x0) * picture.channels,
                (x1 - x0) * picture.channels);
  return result;
}

Image hflip(const Image& picture) {
  Image result = blank(picture.height, picture.width, picture.channels);
  for (int64_t y = 0; y < picture.height; ++y)
    for (int64_t x = 0; x < picture.width; ++x)
      copy_pixel(picture, y, picture.width - 1 - x, result, y, x);
  return result;
}

Image vflip(const Image& picture) {
  Image result = blank(picture.height, picture.width, picture.channels);
  for (int64_t y = 0; y < picture.height; ++y)
    std::memcpy(result.row(y), picture.row(picture.height - 1 - y), picture.row_bytes());
  return result;
}

Image transpose(const Image& picture) {
  Image result = blank(picture.width, picture.height, picture.channels);
  constexpr int64_t kTile = 64;  // keeps both sides in cache
  for (int64_t y0 = 0; y0 < picture.height; y0 += kTile)
    for (int64_t x0 = 0; x0 < picture.width; x0 += kTile)
      for (int64_t y = y0; y < std::min(y0 + kTile, picture.height); ++y)
        for (int64_t x = x0; x < std::min(x0 + kTile, picture.width); ++x)
          copy_pixel(picture, y, x, result, x, y);
  return result;
}

Image upright(Image picture, int orientation) {
  switch (orientation) {
    case 2: return hflip(picture);
    case 3: return vflip(hflip(picture));
    case 4: return vflip(picture);
    case 5: return transpose(picture);
    case 6: return hflip(transpose(picture));         // a quarter turn clockwise
    case 7: return vflip(hflip(transpose(picture)));  // along the other diagonal
    case 8: return vflip(transpose(picture));         // a quarter turn counter-clockwise
    default: return picture;
  }
}

Image affine(const Image& picture, int64_t height, int64_t width,
             const std::array<double, 6>& matrix, Interpolation filter,
             std::array<uint8_t, 4> fill) {
  require_size(height, width);
  Image result = filled(height, width, picture.channels, fill);
  const Sampler sampler{picture};
  switch (filter) {
    case Interpolation::nearest: affine_nearest(picture, result, matrix); break;
    case Interpolation::bilinear:
      affine_smooth(picture, result, matrix,
                    [&](double x, double y, int64_t c) { return sampler.bilinear(x, y, c); });
      break;
    case Interpolation::bicubic:
      affine_smooth(picture, result, matrix,
                    [&](double x, double y, int64_t c) { return sampler.bicubic(x, y, c); });
      break;
    default:
      throw usage_error("an affine transform takes nearest, bilinear or bicubic, not {}",
                        name(filter));
  }
  return result;
}

}  // namespace saccade::image
