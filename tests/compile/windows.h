#pragma once
// One attention block over windows of a map [N, H, W, C], as Swin has it.

#include "tests/plan/graphs.h"

namespace saccade::test {

struct Windows {
  int64_t height = 6, width = 4, channels = 8, heads = 2, window = 2, shift = 0;
  bool cosine = false;           ///< Swin v2: unit lengths and a scale for each head
  bool pictures_inside = false;  ///< wrong on purpose: [windows, N, ...] read as [N, windows, ...]
};

class WindowedBlock {
 public:
  explicit WindowedBlock(Windows config) : c(config) {}

  plan::Graph build() {
    const ops::Dims map = {{1, true}, {c.height}, {c.width}, {c.channels}};
    const auto images = g.add_input("images", {DType::F32, map});
    auto x = g.add(Op::layer_norm, {images, plan::kAbsent, plan::kAbsent}, {{"eps", 1e-5}});
    if (c.shift > 0) x = roll(x, c.height - c.shift, c.width - c.shift);
    x = linear(attend(partition(x)), c.channels, c.channels, "proj");
    x = reverse(x);
    if (c.shift > 0) x = roll(x, c.shift, c.shift);
    g.add_output("y", g.add(Op::add, {images, x}));
    return std::move(g);
  }

 private:
  using Op = ops::Op;
  using Id = plan::ValueId;
  using Integers = std::vector<int64_t>;

  [[nodiscard]] int64_t area() const { return c.window * c.window; }
  [[nodiscard]] int64_t windows() const { return c.height * c.width / area(); }

  Id reshape(Id x, ops::Dims dims) { return g.add(Op::reshape, {x}, {{"shape", std::move(dims)}}); }
  Id permute(Id x, Integers axes) { return g.add(Op::permute, {x}, {{"axes", std::move(axes)}}); }
  Id roll(Id x, int64_t down, int64_t right) {
    return g.add(Op::roll, {x}, {{"shifts", Integers{down, right}}, {"axes", Integers{1, 2}}});
  }
  Id linear(Id x, int64_t in, int64_t out, const std::string& path) {
    return g.add(Op::linear,
                 {x, weight(g, {out, in}, path + ".weight"), weight(g, {out}, path + ".bias")}, {},
                 path);
  }
  Id partition(Id x) {
    x = reshape(x, {{1, true},
                    {c.height / c.window},
                    {c.window},
                    {c.width / c.window},
                    {c.window},
                    {c.channels}});
    if (c.pictures_inside) {
      x = permute(x, {1, 3, 0, 2, 4, 5});
      return reshape(x, {{windows(), true}, {area()}, {c.channels}});
    }
    return reshape(permute(x, {0, 1, 3, 2, 4, 5}), {{windows(), true}, {area()}, {c.channels}});
  }
  Id reverse(Id x) {
    if (c.pictures_inside) return reshape(x, {{1, true}, {c.height}, {c.width}, {c.channels}});
    x = reshape(x, {{1, true},
                    {c.height / c.window},
                    {c.width / c.window},
                    {c.window},
                    {c.window},
                    {c.channels}});
    return reshape(permute(x, {0, 1, 3, 2, 4, 5}),
                   {{1, true}, {c.height}, {c.width}, {c.channels}});
  }
  Id unit(Id x) {
    const auto squares =
        g.add(Op::sum, {g.add(Op::mul, {x, x})}, {{"axes", Integers{3}}, {"keepdim", int64_t{1}}});
    return g.add(Op::div, {x, g.add(Op::clamp, {g.add(Op::sqrt, {squares})}, {{"min", 1e-12}})});
  }
  /// The bias of each head plus the mask of each window, repeated for every picture.
  Id added_scores() {
    auto table = random_tensor({windows(), c.heads, area(), area()}, "mask");
    const auto bias = random_tensor({c.heads, area(), area()}, "bias");
    const auto values = table.fill<float>();
    const auto square = static_cast<size_t>(area() * area());
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t window = i / square / static_cast<size_t>(c.heads);
      const bool hidden = c.shift > 0 && window > 0 && i % square % 3 == 0;
      values[i] = bias.as<float>()[i % (square * static_cast<size_t>(c.heads))];
      if (hidden) values[i] -= 100.0F;
    }
    const auto id = g.add_constant(plan::make_constant("", table));
    const ops::Dims apart = {{1}, {windows()}, {c.heads}, {area()}, {area()}};
    auto full = apart;
    full[0] = {1, true};
    const auto expanded = g.add(Op::expand, {reshape(id, apart)}, {{"shape", full}});
    return reshape(expanded, {{windows(), true}, {c.heads}, {area()}, {area()}});
  }
  Id attend(Id x) {
    const int64_t dim = c.channels / c.heads;
    x = linear(x, c.channels, 3 * c.channels, "qkv");
    x = permute(reshape(x, {{windows(), true}, {area()}, {3}, {c.heads}, {dim}}), {2, 0, 3, 1, 4});
    std::vector<Id> parts;
    for (int64_t i = 0; i < 3; ++i)
      parts.push_back(
          reshape(g.add(Op::slice, {x}, {{"axis", int64_t{0}}, {"start", i}, {"end", i + 1}}),
                  {{windows(), true}, {c.heads}, {area()}, {dim}}));
    if (c.cosine) {
      parts[0] = g.add(Op::mul, {unit(parts[0]), weight(g, {c.heads, 1, 1}, "logit_scale")});
      parts[1] = unit(parts[1]);
    }
    x = g.add(Op::sdpa, {parts[0], parts[1], parts[2], added_scores()},
              {{"scale", c.cosine ? 1.0 : 0.5}}, "attn");
    return reshape(permute(x, {0, 2, 1, 3}), {{windows(), true}, {area()}, {c.channels}});
  }

  Windows c;
  plan::Graph g;
};

inline plan::Graph windowed_block(Windows config) { return WindowedBlock(config).build(); }

}  // namespace saccade::test
