// Operators over pictures [B, C, H, W]: convolution, patches, pooling.

#include <algorithm>
#include <limits>

#include "saccade/ops/context.h"

namespace saccade::ops {
namespace {

/// Two positive numbers, for rows and columns.
std::array<int64_t, 2> pair(const AttributeView& view, std::string_view name, int64_t least) {
  const auto& values = view.integers(name);
  if (values.size() != 2 || std::ranges::min(values) < least)
    throw RuleError(fmt::format("attribute {}: two numbers from {} on are expected", name, least));
  return {values[0], values[1]};
}

/// How a window moves over a picture.
struct Window {
  std::array<int64_t, 2> kernel, stride, padding, dilation;

  Window(const AttributeView& view, std::array<int64_t, 2> size)
      : kernel(size),
        stride(pair(view, "stride", 1)),
        padding(pair(view, "padding", 0)),
        dilation(pair(view, "dilation", 1)) {}

  /// Positions along one axis; nothing is left of a picture smaller than the window.
  [[nodiscard]] int64_t positions(size_t axis, int64_t size) const {
    if (dilation[axis] > kMaxSize / kernel[axis])
      throw RuleError("the window is larger than any picture");
    const int64_t room = size + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1;
    if (room < 0) throw RuleError(fmt::format("the window does not fit into a side of {}", size));
    return room / stride[axis] + 1;
  }
};

/// The part of a window along one axis that lies inside the picture: [first, last) of its taps.
struct Taps {
  int64_t first, last;
};

Taps taps_inside(const Window& window, size_t axis, int64_t position, int64_t size) {
  const int64_t start = position * window.stride[axis] - window.padding[axis];
  const int64_t step = window.dilation[axis];
  const int64_t first = start < 0 ? (-start + step - 1) / step : 0;
  const int64_t last = start < size ? (size - start + step - 1) / step : 0;
  return {first, std::min(last, window.kernel[axis])};
}

void require_picture(const Rule& rule) {
  rule.require_float(0);
  rule.require_rank(0, 4, 4);
  for (size_t d = 1; d < 4; ++d)
    rule.require(!rule.shape(0)[d].batch, "only the first dimension of {} may depend on N",
                 to_string(rule.operand(0)));
}

Type infer_conv2d(const Rule& rule) {
  require_picture(rule);
  const auto &x = rule.shape(0), &weight = rule.shape(1);
  rule.require_float(1);
  rule.require(weight.size() == 4 && !has_batch(weight), "the weight is {}",
               to_string(rule.operand(1)));
  const int64_t groups = rule.integer("groups");
  rule.require(groups >= 1 && x[1].size % groups == 0 && x[1].size / groups == weight[1].size &&
                   weight[0].size % groups == 0,
               "{} in {} groups with a weight of {}", to_string(x), groups, to_string(weight));
  if (rule.has(2)) rule.require_type(2, {DType::F32, {weight[0]}});
  const Window window(rule, {weight[2].size, weight[3].size});
  return {DType::F32,
          {x[0], weight[0], {window.positions(0, x[2].size)}, {window.positions(1, x[3].size)}}};
}

void conv2d(const Call& call) {
  const auto &x = call.shape(0), &w = call.shape(1), &y = call.result().shape;
  const Window window(call, {w[2], w[3]});
  const int64_t per_group = y[1] / call.integer("groups");
  walk<0>(y, {}, [&](int64_t i, const auto&, const auto& at) {
    const int64_t first = at[1] / per_group * w[1];
    double sum = call.has(2) ? call.floats(2)[at[1]] : 0.0;
    const auto rows = taps_inside(window, 0, at[2], x[2]);
    const auto columns = taps_inside(window, 1, at[3], x[3]);
    for (int64_t c = 0; c < w[1]; ++c)
      for (int64_t r = rows.first; r < rows.last; ++r)
        for (int64_t s = columns.first; s < columns.last; ++s) {
          const int64_t h = at[2] * window.stride[0] - window.padding[0] + r * window.dilation[0];
          const int64_t v = at[3] * window.stride[1] - window.padding[1] + s * window.dilation[1];
          sum += double{call.floats(0)[((at[0] * x[1] + first + c) * x[2] + h) * x[3] + v]} *
                 call.floats(1)[((at[1] * w[1] + c) * w[2] + r) * w[3] + s];
        }
    call.floats()[i] = static_cast<float>(sum);
  });
}

/// [B, C, H, W] -> [B, positions, C * kernel area]: the rows that turn a convolution into a product
/// of matrices.
Type infer_patches(const Rule& rule) {
  require_picture(rule);
  const auto& x = rule.shape(0);
  const auto kernel = pair(rule, "kernel", 1);
  const Window window(rule, kernel);
  const int64_t rows = window.positions(0, x[2].size), columns = window.positions(1, x[3].size);
  rule.require(rows <= kMaxSize / columns && kernel[0] <= kMaxSize / kernel[1] &&
                   x[1].size <= kMaxSize / (kernel[0] * kernel[1]),
               "the patches are too large");
  return {DType::F32, {x[0], {rows * columns}, {x[1].size * kernel[0] * kernel[1]}}};
}

void patches(const Call& call) {
  const auto &x = call.shape(0), &y = call.result().shape;
  const auto kernel = pair(call, "kernel", 1);
  const Window window(call, kernel);
  const int64_t columns = window.positions(1, x[3]);
  float* to = call.floats();
  for (int64_t b = 0; b < y[0]; ++b)
    for (int64_t p = 0; p < y[1]; ++p) {
      const int64_t top = p / columns * window.stride[0] - window.padding[0];
      const int64_t left = p % columns * window.stride[1] - window.padding[1];
      for (int64_t c = 0; c < x[1]; ++c)
        for (int64_t r = 0; r < kernel[0]; ++r)
          for (int64_t s = 0; s < kernel[1]; ++s) {
            const int64_t h = top + r * window.dilation[0], v = left + s * window.dilation[1];
            const bool inside = h >= 0 && h < x[2] && v >= 0 && v < x[3];
            *to++ = inside ? call.floats(0)[((b * x[1] + c) * x[2] + h) * x[3] + v] : 0.0F;
          }
    }
}

Type infer_pool(const Rule& rule) {
  require_picture(rule);
  const auto& x = rule.shape(0);
  const Window window(rule, pair(rule, "kernel", 1));
  for (size_t axis = 0; axis < 2; ++axis)
    rule.require(2 * window.padding[axis] <= window.kernel[axis], "padding {} of a kernel of {}",
                 window.padding[axis], window.kernel[axis]);
  return {DType::F32,
          {x[0], x[1], {window.positions(0, x[2].size)}, {window.positions(1, x[3].size)}}};
}

/// Calls take(value) for what the window covers, then put(number of values) -> result.
template <class Take, class Put>
void pool(const Call& call, Take take, Put put) {
  const auto& x = call.shape(0);
  const Window window(call, pair(call, "kernel", 1));
  walk<0>(call.result().shape, {}, [&](int64_t i, const auto&, const auto& at) {
    const float* plane = call.floats(0) + (at[0] * x[1] + at[1]) * x[2] * x[3];
    int64_t count = 0;
    const auto rows = taps_inside(window, 0, at[2], x[2]);
    const auto columns = taps_inside(window, 1, at[3], x[3]);
    for (int64_t r = rows.first; r < rows.last; ++r)
      for (int64_t s = columns.first; s < columns.last; ++s) {
        const int64_t h = at[2] * window.stride[0] - window.padding[0] + r * window.dilation[0];
        const int64_t v = at[3] * window.stride[1] - window.padding[1] + s * window.dilation[1];
        take(plane[h * x[3] + v]);
        ++count;
      }
    call.floats()[i] = put(count);
  });
}

void max_pool2d(const Call& call) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  float largest = kLowest;
  pool(
      call, [&](float x) { largest = x > largest || std::isnan(x) ? x : largest; },
      [&](int64_t) { return std::exchange(largest, kLowest); });
}

void avg_pool2d(const Call& call) {
  double sum = 0.0;
  const bool padded = call.integer("count_padding") != 0;
  const auto kernel = pair(call, "kernel", 1);
  pool(
      call, [&](float x) { sum += x; },
      [&](int64_t count) {
        const auto area = static_cast<double>(padded ? kernel[0] * kernel[1] : count);
        return static_cast<float>(std::exchange(sum, 0.0) / area);
      });
}

std::vector<AttributeSpec> window_attributes(bool kernel) {
  using enum AttributeKind;
  using List = std::vector<int64_t>;
  std::vector<AttributeSpec> specs = {{"stride", integers, List{1, 1}},
                                      {"padding", integers, List{0, 0}},
                                      {"dilation", integers, List{1, 1}}};
  if (kernel) specs.insert(specs.begin(), {"kernel", integers});
  return specs;
}

std::vector<AttributeSpec> with(std::vector<AttributeSpec> specs, AttributeSpec more) {
  specs.push_back(std::move(more));
  return specs;
}

}  // namespace

std::span<const OpInfo> spatial_ops() {
  using enum AttributeKind;
  static const std::vector<OpInfo> ops = {
      {Op::conv2d,
       "conv2d",
       {{"x"}, {"weight"}, {"bias", true}},
       with(window_attributes(false), {"groups", integer, int64_t{1}}),
       infer_conv2d,
       conv2d},
      {Op::patches, "patches", {{"x"}}, window_attributes(true), infer_patches, patches},
      {Op::max_pool2d, "max_pool2d", {{"x"}}, window_attributes(true), infer_pool, max_pool2d},
      {Op::avg_pool2d,
       "avg_pool2d",
       {{"x"}},
       with(window_attributes(true), {"count_padding", integer, int64_t{1}}),
       infer_pool,
       avg_pool2d},
  };
  return ops;
}

}  // namespace saccade::ops
