// Rows that one operator packs for the next: the same bits as without.

#include "saccade/runtime/kernel_chain.h"

#include <gtest/gtest.h>

#include "saccade/compile/compile.h"
#include "saccade/runtime/kernels/matmul.h"
#include "saccade/runtime/kernels/row_ops.h"
#include "saccade/runtime/session.h"
#include "tests/plan/graphs.h"
#include "tests/runtime/kernel_support.h"

namespace saccade::runtime {
namespace {

using kernels::Matmul, kernels::Packing, ops::Op, ops::Precision, plan::Graph;
using kernels::test::Exact, kernels::test::for_each_target, kernels::test::random_floats;

Matmul product(int64_t m, int64_t n, int64_t k, DType type, const float* a, const std::byte* b,
               float* c) {
  Matmul op;
  op.m = m, op.n = n, op.k = k;
  op.left.data = a;
  op.left.row_stride = k;
  op.right = {type, b, nullptr, nullptr};
  op.out.data = c;
  op.out.row_stride = n;
  return op;
}

void run(const Matmul& op) {
  Pool pool(2);
  const Exact<std::byte> scratch(kernels::matmul_scratch(op, 2));
  kernels::matmul(op, pool, scratch.span());
  EXPECT_TRUE(scratch.intact());
}

std::vector<std::byte> bytes_of(std::span<const float> x) {
  const auto bytes = std::as_bytes(x);
  return {bytes.begin(), bytes.end()};
}

/// Two layers in a row; a row of the hidden values fills whole pages, so that it is packed even
/// where tiles could read it in place.
void check_layers(DType type, int64_t m) {
  const int64_t in = 40, hidden = 1024, out = 17;
  const auto x = random_floats(m * in, 1), bias = random_floats(hidden, 2);
  const Exact<std::byte> first(ops::panel_bytes(type, hidden, in));
  const Exact<std::byte> second(ops::panel_bytes(type, out, hidden));
  const auto w1 = random_floats(hidden * in, 3), w2 = random_floats(out * hidden, 4);
  ops::pack_panels(type, {w1.data(), hidden, in, in, 1}, first.span());
  ops::pack_panels(type, {w2.data(), out, hidden, hidden, 1}, second.span());
  const Exact<float> middle(m * hidden);
  std::vector<float> expected(m * out), found(m * out);
  Matmul a = product(m, hidden, in, type, x.data(), first.data(), middle.data());
  a.epilogue.bias = bias.data();
  a.epilogue.activation = kernels::Activation::gelu;
  Matmul b = product(m, out, hidden, type, middle.data(), second.data(), expected.data());
  run(a);
  run(b);
  const auto packing = kernels::row_packing(b);
  ASSERT_TRUE(packing);
  const auto tiles = kernels::kernel_table().tiles;
  const auto& family = type == DType::F32 ? tiles.f32 : tiles.bf16;
  const bool fits = family.columns % kernels::piece_elements(family.format) == 0;
  EXPECT_EQ(kernels::can_pack_result(a, *packing), fits);
  if (!fits) return;
  ASSERT_LE(packing->rows * packing->row_bytes(), static_cast<int64_t>(middle.bytes().size()));
  a.out.packing = &*packing;
  b.left.packed = middle.bytes().data();
  b.out.data = found.data();
  run(a);
  run(b);
  EXPECT_TRUE(middle.intact());
  EXPECT_EQ(bytes_of(found), bytes_of(expected)) << m;
}

TEST(PackedRows, OneProductPacksForTheNext) {
  for_each_target([](const std::string&) {
    for (const DType type : {DType::F32, DType::BF16})
      for (const int64_t m : {2, 13, 29, 97, 197, 800}) check_layers(type, m);
  });
}

using saccade::test::weight;

/// A graph, what it makes in between, and its products.
struct Chain {
  Graph graph;
  plan::ValueId norm, hidden, last;
};

constexpr int64_t kGelu = static_cast<int64_t>(ops::Activation::gelu);

plan::ValueId add_norm(Graph& graph, int64_t dim) {
  const auto x = graph.add_input("x", {DType::F32, {{1, true}, {50}, {dim}}});
  return graph.add(Op::layer_norm, {x, weight(graph, {dim}, "gamma"), weight(graph, {dim}, "beta")},
                   {{"eps", 1e-6}});
}

/// Norm, linear, linear; rows of all images are one matrix.
Chain channel_mlp(int64_t dim) {
  Chain chain;
  auto& g = chain.graph;
  chain.norm = add_norm(g, dim);
  chain.hidden =
      g.add(Op::linear, {chain.norm, weight(g, {2 * dim, dim}, "w1"), plan::kAbsent, plan::kAbsent},
            {{"activation", kGelu}});
  const auto flat =
      g.add(Op::reshape, {chain.hidden}, {{"shape", ops::Dims{{50, true}, {2 * dim}}}});
  chain.last = g.add(Op::linear, {flat, weight(g, {9, 2 * dim}, "w2")});
  return chain;
}

/// Norm, mix, mix: rows of an image are the right side of a product.
Chain token_mlp(int64_t dim) {
  Chain chain;
  auto& g = chain.graph;
  chain.norm = add_norm(g, dim);
  chain.hidden = g.add(
      Op::mix, {chain.norm, weight(g, {110, 50}, "w1"), weight(g, {110}, "b1"), plan::kAbsent},
      {{"activation", kGelu}});
  chain.last = g.add(
      Op::mix, {chain.hidden, weight(g, {50, 110}, "w2"), weight(g, {50}, "b2"), plan::kAbsent});
  return chain;
}

/// What the chain answers if the values in between are outputs too, or not.
std::vector<std::byte> answer(const Chain& chain, Precision precision, int64_t batch,
                              bool watched) {
  plan::Plan plan;
  plan.graph = chain.graph;
  plan.graph.add_output("y", chain.last);
  if (watched) {
    plan.graph.add_output("norm", chain.norm);
    plan.graph.add_output("hidden", chain.hidden);
  }
  compile::Assignment assignment;
  if (precision != Precision::fp32)
    assignment = {{chain.hidden, {precision}}, {chain.last, {precision}}};
  Session session(std::make_shared<Model>(compile::emit(plan, assignment)), {.threads = 2});
  session.prepare(batch);
  fill_with_noise(session);
  session.run();
  const auto bytes = session.output_bytes(0);
  return {bytes.begin(), bytes.end()};
}

TEST(PackedRows, NobodySeesThemInASession) {
  for_each_target([](const std::string&) {
    for (const int64_t dim : {31, 32, 48, 64, 512})
      for (const auto& chain : {channel_mlp(dim), token_mlp(dim)})
        for (const auto precision : {Precision::fp32, Precision::bf16})
          for (const int64_t batch : {1, 2, 17})
            EXPECT_EQ(answer(chain, precision, batch, false), answer(chain, precision, batch, true))
                << dim << " " << batch;
  });
}

}  // namespace
}  // namespace saccade::runtime
