#include "saccade/image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "saccade/base/error.h"
#include "saccade/base/thread_pool.h"
#include "saccade/image/filter/weights.h"
#include "saccade/image/resample.h"
#include "saccade/image/transform.h"

namespace saccade::image {
namespace {

Box full_box(int64_t height, int64_t width) {
  return {0, 0, static_cast<float>(width), static_cast<float>(height)};
}

/// The conditions of Pillow's Image.resize.
Box checked_box(int64_t in_height, int64_t in_width, const ResizeRequest& request) {
  if (request.height < 1 || request.width < 1)
    throw usage_error("cannot resize to {} x {}: both sides must be at least 1", request.width,
                      request.height);
  const Box full = full_box(in_height, in_width);
  const Box box = request.box.value_or(full);
  const bool inside = box.left >= 0 && box.top >= 0 && box.right <= full.right &&
                      box.bottom <= full.bottom && box.left <= box.right && box.top <= box.bottom;
  if (!inside)
    throw usage_error("the box ({}, {}, {}, {}) does not lie inside a picture of {} x {}", box.left,
                      box.top, box.right, box.bottom, in_width, in_height);
  return box;
}

bool is_whole(const Box& box, int64_t height, int64_t width) {
  return box.left == 0 && box.top == 0 && box.right == static_cast<float>(width) &&
         box.bottom == static_cast<float>(height);
}

/// Whole pixels, nothing to scale: Pillow crops.
bool is_crop(const Box& box, const ResizeRequest& request) {
  return box.left == std::floor(box.left) && box.top == std::floor(box.top) &&
         box.right - box.left == static_cast<float>(request.width) &&
         box.bottom - box.top == static_cast<float>(request.height);
}

/// Source positions of nearest: floor of a coordinate that grows by repeated addition, as in
/// Pillow's ImagingScaleAffine; -1 outside.
std::vector<int64_t> nearest_positions(int64_t in_size, float from, float to, int64_t out_size) {
  const double scale = static_cast<double>(to - from) / static_cast<double>(out_size);
  double at = static_cast<double>(from) + scale * 0.5;
  std::vector<int64_t> result(out_size);
  for (auto& position : result) {
    const auto index = at < 0 ? -1 : static_cast<int64_t>(at);
    position = index < in_size ? index : -1;
    at += scale;
  }
  return result;
}

/// `step` samples per pixel; places that lie outside stay 0.
template <class T>
void nearest(const T* from, int64_t in_width, T* to, const Window& window,
             const std::vector<int64_t>& rows, const std::vector<int64_t>& columns, int64_t step) {
  parallel_for(window.height, 16, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const int64_t row = rows[window.top + y];
      if (row < 0) continue;
      for (int64_t x = 0; x < window.width; ++x) {
        const int64_t column = columns[window.left + x];
        if (column < 0) continue;
        std::copy_n(from + (row * in_width + column) * step, step,
                    to + (y * window.width + x) * step);
      }
    }
  });
}

Image resize_nearest(const Image& picture, const ResizeRequest& request, const Box& box,
                     const Window& window) {
  Image result = blank(window.height, window.width, picture.channels);
  nearest(picture.pixels.data(), picture.width, result.pixels.data(), window,
          nearest_positions(picture.height, box.top, box.bottom, request.height),
          nearest_positions(picture.width, box.left, box.right, request.width), picture.channels);
  return result;
}

uint8_t multiply_255(uint32_t a, uint32_t b) {
  const uint32_t t = a * b + 128;
  return static_cast<uint8_t>(((t >> 8) + t) >> 8);
}

/// Colour times alpha (Pillow's modes RGBa and La).
Image premultiplied(const Image& picture) {
  Image result = picture;
  const int64_t step = picture.channels, colours = step - 1;
  for (size_t at = 0; at < result.pixels.size(); at += step)
    for (int64_t c = 0; c < colours; ++c)
      result.pixels[at + c] = multiply_255(picture.pixels[at + c], picture.pixels[at + colours]);
  return result;
}

void remove_premultiplication(Image& picture) {
  const int64_t step = picture.channels, colours = step - 1;
  for (size_t at = 0; at < picture.pixels.size(); at += step) {
    const uint32_t alpha = picture.pixels[at + colours];
    if (alpha == 255 || alpha == 0) continue;
    for (int64_t c = 0; c < colours; ++c)
      picture.pixels[at + c] =
          static_cast<uint8_t>(std::min(255u, 255u * picture.pixels[at + c] / alpha));
  }
}

/// What Pillow does with a mode without alpha.
Image resize_opaque(const Image& picture, const ResizeRequest& request, const Box& box,
                    const Window& window) {
  if (is_crop(box, request))
    return crop(picture, static_cast<int64_t>(box.top) + window.top,
                static_cast<int64_t>(box.left) + window.left, window.height, window.width);
  if (request.filter == Interpolation::nearest)
    return resize_nearest(picture, request, box, window);
  return Resampler(picture.height, picture.width, picture.channels, request).run(picture);
}

/// Rounds half away from zero and clips (Pillow 13), or as Pillow 12, which clipped the two bytes
/// one by one.
template <class T>
T round_sample(double sum, PillowRules rules) {
  if constexpr (std::is_same_v<T, float>) {
    return static_cast<float>(sum);
  } else {
    const auto value = static_cast<int64_t>(sum >= 0.0 ? sum + 0.5 : sum - 0.5);
    if (rules == PillowRules::v13) return static_cast<T>(std::clamp<int64_t>(value, 0, 65535));
    const int64_t low = std::clamp<int64_t>(value % 256, 0, 255);
    const int64_t high = std::clamp<int64_t>(value >> 8, 0, 255);
    return static_cast<T>(low | (high << 8));
  }
}

/// One pass along one axis; `lines` lines of samples that lie `step` apart.
template <class T>
std::vector<T> filter_plane(const std::vector<T>& from, int64_t lines, int64_t from_line,
                            int64_t to_line, int64_t from_step, int64_t to_step,
                            const FilterWeights& weights, PillowRules rules) {
  const auto out_size = static_cast<int64_t>(weights.taps.size());
  std::vector<T> to(lines * out_size);
  parallel_for(lines, 16, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line)
      for (int64_t i = 0; i < out_size; ++i) {
        const auto& taps = weights.taps[i];
        double sum = 0.0;
        for (int64_t tap = 0; tap < taps.count; ++tap)
          sum += from[line * from_line + (taps.first + tap) * from_step] *
                 weights.weights[taps.weight + tap];
        to[line * to_line + i * to_step] = round_sample<T>(sum, rules);
      }
  });
  return to;
}

template <class T>
Plane<T> filter_plane_horizontally(const Plane<T>& plane, const ResizeRequest& request,
                                   const Box& box) {
  const auto weights = filter_weights(request.filter, plane.width, box.left, box.right,
                                      request.width, 0, request.width);
  return {request.width, plane.height,
          filter_plane(plane.samples, plane.height, plane.width, request.width, 1, 1, weights,
                       request.rules)};
}

template <class T>
Plane<T> filter_plane_vertically(const Plane<T>& plane, const ResizeRequest& request,
                                 const Box& box) {
  const auto weights = filter_weights(request.filter, plane.height, box.top, box.bottom,
                                      request.height, 0, request.height);
  return {plane.width, request.height,
          filter_plane(plane.samples, plane.width, 1, 1, plane.width, plane.width, weights,
                       request.rules)};
}

template <class T>
Plane<T> resize_plane(const Plane<T>& plane, const ResizeRequest& request) {
  const Box box = checked_box(plane.height, plane.width, request);
  const Window window{0, 0, request.height, request.width};
  if (request.filter == Interpolation::nearest || is_crop(box, request)) {
    Plane<T> result{request.width, request.height, std::vector<T>(request.width * request.height)};
    nearest(plane.samples.data(), plane.width, result.samples.data(), window,
            nearest_positions(plane.height, box.top, box.bottom, request.height),
            nearest_positions(plane.width, box.left, box.right, request.width), 1);
    return result;
  }
  const bool wide = request.width != plane.width || box.left != 0 ||
                    box.right != static_cast<float>(request.width);
  const bool tall = request.height != plane.height || box.top != 0 ||
                    box.bottom != static_cast<float>(request.height);
  Plane<T> result = plane;
  if (vertical_first(plane.height, plane.width, request)) {
    if (tall) result = filter_plane_vertically(result, request, box);
    if (wide) result = filter_plane_horizontally(result, request, box);
  } else {
    if (wide) result = filter_plane_horizontally(result, request, box);
    if (tall) result = filter_plane_vertically(result, request, box);
  }
  return result;
}

}  // namespace

bool vertical_first(int64_t in_height, int64_t in_width, const ResizeRequest& request) {
  return request.rules == PillowRules::v13 && request.height < in_height &&
         in_height - request.height > 2 * (in_width - request.width);
}

Image resize(const Image& picture, const ResizeRequest& request) {
  const Box box = checked_box(picture.height, picture.width, request);
  const Window window = request.window.value_or(Window{0, 0, request.height, request.width});
  const bool same_size = picture.height == request.height && picture.width == request.width;
  const bool alpha = picture.channels == 2 || picture.channels == 4;
  const bool copies = same_size && is_whole(box, picture.height, picture.width);
  if (!alpha || copies || request.filter == Interpolation::nearest)
    return resize_opaque(picture, request, box, window);
  Image result = resize_opaque(premultiplied(picture), request, box, window);
  remove_premultiplication(result);
  return result;
}

Image resize(const Image& picture, int64_t height, int64_t width, Interpolation filter,
             std::optional<Box> box) {
  return resize(picture, {height, width, filter, box, {}, PillowRules::v13});
}

Plane<float> resize(const Plane<float>& plane, const ResizeRequest& request) {
  return resize_plane(plane, request);
}

Plane<uint16_t> resize(const Plane<uint16_t>& plane, const ResizeRequest& request) {
  return resize_plane(plane, request);
}

}  // namespace saccade::image
