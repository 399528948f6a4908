#pragma once
// Graphs for tests: values that are easy to predict, and a small transformer.

#include <string>

#include "saccade/base/random.h"
#include "saccade/plan/graph.h"

namespace saccade::test {

/// Numbers in [-0.5, 0.5), the same for the same name.
inline HostTensor random_tensor(Shape shape, std::string_view name) {
  HostTensor tensor(DType::F32, std::move(shape));
  Random random(7, 0, 0, name);
  for (auto& x : tensor.fill<float>()) x = static_cast<float>(random.uniform(-0.5, 0.5));
  return tensor;
}

inline plan::ValueId weight(plan::Graph& graph, Shape shape, const std::string& name) {
  return graph.add_constant(plan::make_constant(name, random_tensor(std::move(shape), name)), name);
}

struct SmallVit {
  int64_t side = 8, patch = 4, dim = 8, heads = 2, hidden = 16, classes = 5, depth = 2;
};

/// Pre-norm transformer over patches, as a trace of the eager model reads: qkv in one projection,
/// heads by reshape and permute, attention as one operator.
class SmallVitBuilder {
 public:
  explicit SmallVitBuilder(SmallVit config) : c(config) {}

  plan::Graph build() {
    using ops::Op;
    const auto images = g.add_input("images", {DType::F32, {{1, true}, {3}, {c.side}, {c.side}}});
    auto x = g.add(Op::conv2d,
                   {images, weight(g, {c.dim, 3, c.patch, c.patch}, "patch.weight"),
                    weight(g, {c.dim}, "patch.bias")},
                   {{"stride", std::vector<int64_t>{c.patch, c.patch}}}, "patch_embed");
    x = reshape(x, {{1, true}, {c.dim}, {tokens() - 1}});
    x = permute(x, {0, 2, 1});
    const auto cls = g.add(Op::expand, {weight(g, {1, 1, c.dim}, "cls")},
                           {{"shape", ops::Dims{{1, true}, {1}, {c.dim}}}});
    x = g.add(Op::concat, {cls, x}, {{"axis", int64_t{1}}});
    x = g.add(Op::add, {x, weight(g, {1, tokens(), c.dim}, "pos")});
    for (int64_t i = 0; i < c.depth; ++i) x = block(x, "blocks." + std::to_string(i));
    x = norm(x, "norm");
    x = g.add(Op::slice, {x}, {{"axis", int64_t{1}}, {"start", int64_t{0}}, {"end", int64_t{1}}});
    x = reshape(x, {{1, true}, {c.dim}});
    g.add_output("logits", linear(x, c.dim, c.classes, "head"));
    return std::move(g);
  }

 private:
  using Id = plan::ValueId;
  [[nodiscard]] int64_t tokens() const { return 1 + (c.side / c.patch) * (c.side / c.patch); }
  Id reshape(Id x, ops::Dims dims) {
    return g.add(ops::Op::reshape, {x}, {{"shape", std::move(dims)}});
  }
  Id permute(Id x, std::vector<int64_t> axes) {
    return g.add(ops::Op::permute, {x}, {{"axes", std::move(axes)}});
  }
  Id norm(Id x, const std::string& path) {
    return g.add(ops::Op::layer_norm,
                 {x, weight(g, {c.dim}, path + ".weight"), weight(g, {c.dim}, path + ".bias")},
                 {{"eps", 1e-6}}, path);
  }
  Id linear(Id x, int64_t in, int64_t out, const std::string& path) {
    return g.add(ops::Op::linear,
                 {x, weight(g, {out, in}, path + ".weight"), weight(g, {out}, path + ".bias")}, {},
                 path);
  }
  Id select(Id x, int64_t i, const ops::Dims& dims) {
    return reshape(g.add(ops::Op::slice, {x}, {{"axis", int64_t{0}}, {"start", i}, {"end", i + 1}}),
                   dims);
  }
  Id attention(Id x, const std::string& path) {
    const int64_t head = c.dim / c.heads;
    auto qkv = linear(x, c.dim, 3 * c.dim, path + ".qkv");
    qkv = reshape(qkv, {{1, true}, {tokens()}, {3}, {c.heads}, {head}});
    qkv = permute(qkv, {2, 0, 3, 1, 4});
    const ops::Dims dims = {{1, true}, {c.heads}, {tokens()}, {head}};
    auto y = g.add(ops::Op::sdpa,
                   {select(qkv, 0, dims), select(qkv, 1, dims), select(qkv, 2, dims)}, {}, path);
    y = reshape(permute(y, {0, 2, 1, 3}), {{1, true}, {tokens()}, {c.dim}});
    return linear(y, c.dim, c.dim, path + ".proj");
  }
  Id block(Id x, const std::string& path) {
    x = g.add(ops::Op::add, {x, attention(norm(x, path + ".norm1"), path + ".attn")}, {}, path);
    auto y = linear(norm(x, path + ".norm2"), c.dim, c.hidden, path + ".mlp.fc1");
    y = g.add(ops::Op::gelu, {y}, {}, path + ".mlp");
    return g.add(ops::Op::add, {x, linear(y, c.hidden, c.dim, path + ".mlp.fc2")}, {}, path);
  }

  SmallVit c;
  plan::Graph g;
};

inline plan::Graph small_vit(SmallVit config = {}) { return SmallVitBuilder(config).build(); }

}  // namespace saccade::test
