#include "saccade/train/augment/picture_ops.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <numbers>

#include "saccade/image/transform.h"

namespace saccade::train {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

template <class Value>
Table table_of(Value value) {
  Table table{};
  for (int i = 0; i < 256; ++i)
    table[static_cast<size_t>(i)] = static_cast<uint8_t>(std::clamp<int64_t>(value(i), 0, 255));
  return table;
}

Image mapped(Image picture, const Table& table) {
  for (auto& value : picture.pixels) value = table[value];
  return picture;
}

std::array<Histogram, 3> histograms(const Image& picture) {
  std::array<Histogram, 3> out{};
  for (size_t i = 0; i < picture.pixels.size(); ++i) ++out[i % 3][picture.pixels[i]];
  return out;
}

Image mapped_by_channel(Image picture, Table (*table_for)(const Histogram&)) {
  const auto counts = histograms(picture);
  std::array<Table, 3> tables;
  for (size_t c = 0; c < 3; ++c) tables[c] = table_for(counts[c]);
  for (size_t i = 0; i < picture.pixels.size(); ++i)
    picture.pixels[i] = tables[i % 3][picture.pixels[i]];
  return picture;
}

Table identity() {
  return table_of([](int i) { return i; });
}

Table contrast_table(const Histogram& counts) {
  int low = 0, high = 255;
  while (low < 255 && counts[static_cast<size_t>(low)] == 0) ++low;
  while (high > 0 && counts[static_cast<size_t>(high)] == 0) --high;
  if (high <= low) return identity();
  const double scale = 255.0 / (high - low), offset = -low * scale;
  return table_of([&](int i) { return static_cast<int64_t>(i * scale + offset); });
}

Table equal_table(const Histogram& counts) {
  int64_t sum = 0, last = 0, levels = 0;
  for (const int64_t count : counts) {
    sum += count;
    if (count > 0) last = count, ++levels;
  }
  const int64_t step = (sum - last) / 255;
  if (levels <= 1 || step == 0) return identity();
  int64_t below = step / 2;
  return table_of([&](int i) {
    const int64_t value = below / step;
    below += counts[static_cast<size_t>(i)];
    return value;
  });
}

uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

/// Pillow's Image.blend: from + factor * (to - from) in single precision, cut to a byte.
Image blend(Image from, const Image& to, double factor) {
  const auto alpha = static_cast<float>(factor);
  for (size_t i = 0; i < from.pixels.size(); ++i) {
    const int a = from.pixels[i], b = to.pixels[i];
    const float value = static_cast<float>(a) + alpha * static_cast<float>(b - a);
    from.pixels[i] = static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
  }
  return from;
}

Image constant(const Image& like, uint8_t value) {
  Image out = like;
  std::fill(out.pixels.begin(), out.pixels.end(), value);
  return out;
}

/// ImageFilter.SMOOTH: 1 1 1 / 1 5 1 / 1 1 1 over 13; border pixels stay.
Image smooth(const Image& picture) {
  Image out = picture;
  if (picture.width < 3 || picture.height < 3) return out;
  const float side = 1.0f / 13.0f, middle = 5.0f / 13.0f;
  const int64_t stride = picture.width * 3;
  for (int64_t y = 1; y + 1 < picture.height; ++y)
    for (int64_t i = 3; i < stride - 3; ++i) {
      const uint8_t* p = picture.pixels.data() + y * stride + i;
      const auto row = [](const uint8_t* q, float centre, float edge) {
        return static_cast<float>(q[-3]) * edge + static_cast<float>(q[0]) * centre +
               static_cast<float>(q[3]) * edge;
      };
      float sum = 0.5f;
      sum += row(p + stride, side, side);
      sum += row(p, middle, side);
      sum += row(p - stride, side, side);
      out.pixels[static_cast<size_t>(y * stride + i)] =
          static_cast<uint8_t>(std::clamp(sum, 0.0f, 255.0f));
    }
  return out;
}

/// One box blur along rows of `count` samples, `step` apart. Fixed point with 24 bits.
void box_blur_line(uint8_t* line, int64_t count, int64_t step, float radius,
                   std::vector<uint8_t>& copy) {
  const auto whole = static_cast<int64_t>(radius);
  const auto weight = static_cast<uint32_t>(static_cast<float>(1 << 24) / (radius * 2 + 1));
  const auto far =
      static_cast<uint32_t>(((1 << 24) - (static_cast<uint32_t>(whole) * 2 + 1) * weight) / 2);
  copy.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) copy[static_cast<size_t>(i)] = line[i * step];
  const auto at = [&](int64_t i) {
    return static_cast<uint32_t>(copy[static_cast<size_t>(std::clamp<int64_t>(i, 0, count - 1))]);
  };
  uint32_t sum = 0;
  for (int64_t i = -whole; i <= whole; ++i) sum += at(i);
  for (int64_t x = 0; x < count; ++x) {
    const uint32_t bulk = sum * weight + (at(x - whole - 1) + at(x + whole + 1)) * far;
    line[x * step] = static_cast<uint8_t>((bulk + (1u << 23)) >> 24);
    sum += at(x + whole + 1) - at(x - whole);
  }
}

/// Box radius whose threefold blur has the variance of the Gaussian. Source: Gwosdek et al. 2011,
/// as in Pillow's BoxBlur.c (single precision).
float box_radius(float sigma) {
  const float variance = sigma * sigma / 3;
  const auto length = static_cast<float>(std::sqrt(12.0 * variance + 1.0));
  const auto whole = static_cast<float>(std::floor((length - 1.0) / 2.0));
  float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  part /= 6 * (variance - (whole + 1) * (whole + 1));
  return whole + part;
}

struct Hsv {
  uint8_t h, s, v;
};

Hsv to_hsv(const uint8_t* p) {
  const uint8_t high = std::max({p[0], p[1], p[2]}), low = std::min({p[0], p[1], p[2]});
  if (low == high) return {0, 0, high};
  const auto range = static_cast<float>(high - low);
  const float s = range / static_cast<float>(high);
  const float rc = static_cast<float>(high - p[0]) / range;
  const float gc = static_cast<float>(high - p[1]) / range;
  const float bc = static_cast<float>(high - p[2]) / range;
  float h = p[0] == high   ? bc - gc
            : p[1] == high ? static_cast<float>(2.0 + rc - bc)
                           : static_cast<float>(4.0 + gc - rc);
  h = static_cast<float>(std::fmod(h / 6.0 + 1.0, 1.0));
  return {static_cast<uint8_t>(h * 255.0), static_cast<uint8_t>(s * 255.0), high};
}

void to_rgb(const Hsv& hsv, uint8_t* p) {
  const auto [h, s, v] = hsv;
  if (s == 0) {
    p[0] = p[1] = p[2] = v;
    return;
  }
  const double sixth = static_cast<float>(h) * 6.0 / 255.0;
  const int i = static_cast<int>(std::floor(sixth));
  const auto f = static_cast<float>(sixth - i);
  const auto fs = static_cast<float>(s / 255.0);
  const auto byte = [](double value) { return static_cast<uint8_t>(std::round(value)); };
  const uint8_t low = byte(v * (1.0 - fs)), down = byte(v * (1.0 - fs * f)),
                up = byte(v * (1.0 - fs * (1.0 - f)));
  const std::array<std::array<uint8_t, 3>, 6> sectors{
      {{v, up, low}, {down, v, low}, {low, v, up}, {low, down, v}, {up, low, v}, {v, low, down}}};
  const auto& rgb = sectors[static_cast<size_t>(i % 6)];
  std::copy(rgb.begin(), rgb.end(), p);
}

Image affine(const Image& picture, const std::array<double, 6>& matrix, Interpolation filter,
             Fill fill) {
  return image::affine(picture, picture.height, picture.width, matrix, filter,
                       {fill[0], fill[1], fill[2], 0});
}

/// Python's round(x, 15).
double rounded(double x) {
  char text[32];
  const auto end = std::to_chars(text, std::end(text), x, std::chars_format::fixed, 15).ptr;
  std::from_chars(text, end, x);
  return x;
}

}  // namespace

Image auto_contrast(Image picture) { return mapped_by_channel(std::move(picture), contrast_table); }

Image equalize(Image picture) { return mapped_by_channel(std::move(picture), equal_table); }

Image invert(Image picture) {
  return mapped(std::move(picture), table_of([](int i) { return 255 - i; }));
}

Image posterize(Image picture, int64_t bits) {
  if (bits >= 8) return picture;
  const int mask = bits <= 0 ? 0 : 0xff & ~((1 << (8 - bits)) - 1);
  return mapped(std::move(picture), table_of([&](int i) { return i & mask; }));
}

Image solarize(Image picture, int64_t threshold) {
  return mapped(std::move(picture), table_of([&](int i) { return i < threshold ? i : 255 - i; }));
}

Image solarize_add(Image picture, int64_t add) {
  return mapped(std::move(picture), table_of([&](int i) { return i < 128 ? i + add : i; }));
}

Image grayscale(Image picture) {
  for (size_t i = 0; i < picture.pixels.size(); i += 3)
    std::fill_n(picture.pixels.begin() + static_cast<int64_t>(i), 3, luma(&picture.pixels[i]));
  return picture;
}

Image adjust_color(const Image& picture, double factor) {
  return blend(grayscale(picture), picture, factor);
}

Image adjust_contrast(const Image& picture, double factor) {
  int64_t sum = 0;
  for (size_t i = 0; i < picture.pixels.size(); i += 3) sum += luma(&picture.pixels[i]);
  const auto count = static_cast<double>(picture.pixels.size() / 3);
  const auto mean = static_cast<uint8_t>(static_cast<double>(sum) / count + 0.5);
  return blend(constant(picture, mean), picture, factor);
}

Image adjust_brightness(const Image& picture, double factor) {
  return blend(constant(picture, 0), picture, factor);
}

Image adjust_sharpness(const Image& picture, double factor) {
  return blend(smooth(picture), picture, factor);
}

Image adjust_hue(Image picture, double factor) {
  const auto shift = static_cast<uint8_t>(static_cast<int>(factor * 255));
  for (size_t i = 0; i < picture.pixels.size(); i += 3) {
    auto hsv = to_hsv(&picture.pixels[i]);
    hsv.h = static_cast<uint8_t>(hsv.h + shift);
    to_rgb(hsv, &picture.pixels[i]);
  }
  return picture;
}

Image gaussian_blur(Image picture, double radius) {
  const float box = box_radius(static_cast<float>(radius));
  if (!(box > 0)) return picture;
  std::vector<uint8_t> copy;
  const int64_t width = picture.width, height = picture.height, stride = 3 * width;
  constexpr int kPasses = 3;
  for (int64_t c = 0; c < 3; ++c) {
    uint8_t* plane = picture.pixels.data() + c;
    for (int64_t y = 0; y < height; ++y)
      for (int pass = 0; pass < kPasses; ++pass)
        box_blur_line(plane + y * stride, width, 3, box, copy);
    for (int64_t x = 0; x < width; ++x)
      for (int pass = 0; pass < kPasses; ++pass)
        box_blur_line(plane + 3 * x, height, stride, box, copy);
  }
  return picture;
}

Image shear_x(const Image& picture, double factor, Interpolation filter, Fill fill) {
  return affine(picture, {1, factor, 0, 0, 1, 0}, filter, fill);
}

Image shear_y(const Image& picture, double factor, Interpolation filter, Fill fill) {
  return affine(picture, {1, 0, 0, factor, 1, 0}, filter, fill);
}

Image translate(const Image& picture, double x, double y, Interpolation filter, Fill fill) {
  return affine(picture, {1, 0, x, 0, 1, y}, filter, fill);
}

Image rotate(const Image& picture, double degrees, Interpolation filter, Fill fill) {
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0) turn += 360.0;
  const bool square = picture.width == picture.height;
  if (turn == 0.0) return picture;
  if (turn == 180.0) return image::vflip(image::hflip(picture));
  if (turn == 90.0 && square) return image::vflip(image::transpose(picture));
  if (turn == 270.0 && square) return image::hflip(image::transpose(picture));
  const double angle = -turn * (std::numbers::pi / 180.0);
  std::array<double, 6> m{rounded(std::cos(angle)),  rounded(std::sin(angle)), 0.0,
                          rounded(-std::sin(angle)), rounded(std::cos(angle)), 0.0};
  const double x = static_cast<double>(picture.width) / 2.0;
  const double y = static_cast<double>(picture.height) / 2.0;
  m[2] = m[0] * -x + m[1] * -y + m[2] + x;
  m[5] = m[3] * -x + m[4] * -y + m[5] + y;
  return affine(picture, m, filter, fill);
}

}  // namespace saccade::train
