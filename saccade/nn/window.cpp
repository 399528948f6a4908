#include "saccade/nn/window.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/error.h"

namespace saccade::nn {
namespace {

bool shifts(const WindowCut& cut) { return cut.shift[0] > 0 || cut.shift[1] > 0; }

Tensor pad_to(const Tensor& map, Size size) {
  if (map.size(1) == size[0] && map.size(2) == size[1]) return map;
  return at::constant_pad_nd(map, {0, 0, 0, size[1] - map.size(2), 0, size[0] - map.size(1)});
}

Tensor crop_to(const Tensor& map, Size size) {
  return map.slice(1, 0, size[0]).slice(2, 0, size[1]);
}

/// [B, H, W, C] of whole windows -> [B * windows, N, C]
Tensor partition(const Tensor& map, Size window) {
  return map.unflatten(2, {-1, window[1]})
      .unflatten(1, {-1, window[0]})  // [B, H/h, h, W/w, w, C]
      .permute({0, 1, 3, 2, 4, 5})    // [B, H/h, W/w, h, w, C]
      .reshape({-1, window[0] * window[1], map.size(3)});
}

/// Regions 0, 1, 2 along one side: untouched by the roll, the last window's own part, rolled in.
Tensor side_regions(int64_t side, int64_t window, int64_t shift) {
  const auto place = torch::arange(side);
  if (shift == 0) return torch::zeros_like(place);
  return place.ge(side - window).to(torch::kInt64) + place.ge(side - shift).to(torch::kInt64);
}

/// Window whose table has `rows` rows; tables are taken to be square, as the references do.
int64_t side_of(const Tensor& table) {
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(table.size(0))));
  if (table.dim() != 2 || side * side != table.size(0) || side % 2 == 0)
    throw Error(ErrorKind::bad_input,
                fmt::format("a relative position table of {} rows belongs to no square window",
                            table.size(0)));
  return side;
}

/// [side * side, heads] <-> [1, heads, side, side]
Tensor table_to_map(const Tensor& table, int64_t side) {
  return table.t().reshape({1, table.size(1), side, side}).to(torch::kFloat32);
}
Tensor map_to_table(const Tensor& map) { return map[0].flatten(1).t().contiguous(); }

}  // namespace

Size padded_size(Size map, Size window) {
  return {(map[0] + window[0] - 1) / window[0] * window[0],
          (map[1] + window[1] - 1) / window[1] * window[1]};
}

Tensor to_windows(const Tensor& map, const WindowCut& cut) {
  const auto padded = padded_size({map.size(1), map.size(2)}, cut.window);
  const auto roll = [&](const Tensor& x) {
    return shifts(cut) ? at::roll(x, {-cut.shift[0], -cut.shift[1]}, {1, 2}) : x;
  };
  const auto x = cut.roll_first ? pad_to(roll(map), padded) : roll(pad_to(map, padded));
  return partition(x, cut.window);
}

Tensor from_windows(const Tensor& windows, const WindowCut& cut, Size map) {
  const auto padded = padded_size(map, cut.window);
  const auto x = windows
                     .view({-1, padded[0] / cut.window[0], padded[1] / cut.window[1], cut.window[0],
                            cut.window[1], windows.size(2)})
                     .permute({0, 1, 3, 2, 4, 5})  // [B, H/h, h, W/w, w, C]
                     .reshape({-1, padded[0], padded[1], windows.size(2)});  // [B, H, W, C]
  const auto roll = [&](const Tensor& y) {
    return shifts(cut) ? at::roll(y, cut.shift, {1, 2}) : y;
  };
  return cut.roll_first ? roll(crop_to(x, map)) : crop_to(roll(x), map);
}

Tensor shift_mask(Size padded, const WindowCut& cut) {
  if (!shifts(cut)) return {};
  const auto rows = side_regions(padded[0], cut.window[0], cut.shift[0]);
  const auto columns = side_regions(padded[1], cut.window[1], cut.shift[1]);
  const auto regions = (rows.unsqueeze(1) * 3 + columns).view({1, padded[0], padded[1], 1});
  const auto tokens = partition(regions, cut.window).squeeze(-1);  // [windows, N]
  return tokens.unsqueeze(1).ne(tokens.unsqueeze(2)).to(torch::kFloat32) * cut.mask_value;
}

Tensor relative_position_index(Size window) {
  const auto token = torch::arange(window[0] * window[1]);
  const auto row = at::floor_divide(token, window[1]), column = at::remainder(token, window[1]);
  const auto offset = [](const Tensor& place, int64_t side) {  // [N, N], from 0
    return place.unsqueeze(1) - place.unsqueeze(0) + (side - 1);
  };
  return offset(row, window[0]) * (2 * window[1] - 1) + offset(column, window[1]);
}

Tensor log_coordinates(Size window, int64_t pretrained) {
  const auto side = [&](int64_t size) {
    const int64_t reference = std::max<int64_t>((pretrained > 0 ? pretrained : size) - 1, 1);
    const auto offsets = torch::arange(1 - size, size, torch::kFloat32);
    return offsets / static_cast<double>(reference) * 8.0;
  };
  const auto rows = side(window[0]).unsqueeze(1).expand({-1, 2 * window[1] - 1});
  const auto columns = side(window[1]).unsqueeze(0).expand({2 * window[0] - 1, -1});
  const auto x = torch::stack({rows, columns}, -1).unsqueeze(0);
  return torch::sign(x) * torch::log2(torch::abs(x) + 1.0) / 3.0;  // log2 of 8
}

Tensor gather_bias(const Tensor& table, const Tensor& index) {
  return table
      .index_select(0, index.flatten())          // [N * N, heads]
      .view({index.size(0), index.size(1), -1})  // [N, N, heads]
      .permute({2, 0, 1})
      .unsqueeze(0)
      .contiguous();
}

Tensor resize_bias_bicubic(const Tensor& table, Size window) {
  const auto map = table_to_map(table, side_of(table));
  return map_to_table(at::upsample_bicubic2d(map, {2 * window[0] - 1, 2 * window[1] - 1}, false))
      .to(table.scalar_type());
}

namespace {

/// Offsets of the old table on the new one's scale: 0, then steps growing by one ratio, found by
/// bisection so that the last lies near the new border.
std::vector<float> geometric_offsets(int64_t source, int64_t target) {
  double left = 1.01, right = 1.5, ratio = 0.0;
  while (right - left > 1e-6) {
    ratio = (left + right) / 2;
    const double sum = (1.0 - std::pow(ratio, source / 2)) / (1.0 - ratio);
    (sum > static_cast<double>(target / 2) ? right : left) = ratio;
  }
  std::vector<float> out(static_cast<size_t>(source), 0.0F);
  double offset = 1.0;
  for (int64_t i = 0; i < source / 2; ++i) {
    out[static_cast<size_t>(source / 2 + 1 + i)] = static_cast<float>(offset);
    out[static_cast<size_t>(source / 2 - 1 - i)] = -static_cast<float>(offset);
    offset += std::pow(ratio, i + 1);
  }
  return out;
}

/// [target, source]: linear interpolation from `points` to -target/2 ... target/2.
Tensor linear_weights(const std::vector<float>& points, int64_t target) {
  const int64_t source = std::ssize(points);
  auto weights = torch::zeros({target, source});
  auto w = weights.accessor<float, 2>();
  for (int64_t i = 0; i < target; ++i) {
    const auto place = static_cast<float>(i - target / 2);
    const auto upper = std::ranges::lower_bound(points, place) - points.begin();
    const int64_t high = std::clamp<int64_t>(upper, 0, source - 1);
    const int64_t low = std::clamp<int64_t>(upper - 1, 0, source - 1);
    const float left = std::max(place - points[static_cast<size_t>(low)], 0.0F);
    const float right = std::max(points[static_cast<size_t>(high)] - place, 0.0F);
    const bool same = left == 0.0F && right == 0.0F;
    w[i][low] += same ? 0.5F : right / (left + right);
    w[i][high] += same ? 0.5F : left / (left + right);
  }
  return weights;
}

}  // namespace

Tensor resize_bias_geometric(const Tensor& table, Size window) {
  const int64_t side = side_of(table);
  const auto weights = [&](size_t axis) {
    const int64_t target = 2 * window[axis] - 1;
    return linear_weights(geometric_offsets(side, target), target);
  };
  const auto map = at::matmul(at::matmul(weights(0), table_to_map(table, side)), weights(1).t());
  return map_to_table(map).to(table.scalar_type());
}

const Tensor& SizedConstant::at(Size size, torch::Device device,
                                const std::function<Tensor(Size)>& make) {
  if (size != size_ || (value_.defined() && value_.device() != device)) {
    const c10::InferenceMode normal(false);  // it may be kept for a training step
    value_ = make(size);
    if (value_.defined()) value_ = value_.to(device);
    size_ = size;
  }
  return value_;
}

}  // namespace saccade::nn
