// Fast kernels in lower precision against the reference: the same graph with its weights as they
// were (which only the reference computes) and laid out.

#include <cmath>

#include <gtest/gtest.h>

#include "saccade/compile/compile.h"
#include "saccade/ops/context.h"
#include "saccade/runtime/peak.h"
#include "saccade/runtime/session.h"
#include "tests/plan/graphs.h"

namespace saccade::runtime {
namespace {

using ops::Op, ops::Precision, plan::Graph, plan::ValueId;

std::vector<float> run(Graph graph, const HostTensor& x) {
  plan::Plan plan;
  plan.graph = std::move(graph);
  const auto out = make_engine(std::make_shared<Model>(std::move(plan)))->run({{"x", x}});
  const auto values = out.at(0).second.as<float>();
  return {values.begin(), values.end()};
}

/// Largest difference of the packed graph from the one whose weights are plain.
double difference(const Graph& graph, const compile::Assignment& assignment, const HostTensor& x) {
  plan::Plan plan;
  plan.graph = graph;
  const auto expected = run(compile::assign_precision(graph, assignment), x);
  const auto found = run(compile::emit(plan, assignment).graph, x);
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, std::abs(double{expected[i]} - found[i]));
  return largest;
}

/// A layer with everything: bias, activation, residual.
Graph layer(int64_t in, int64_t out, ValueId& id) {
  Graph graph;
  const auto x = graph.add_input("x", {DType::F32, {{1, true}, {5}, {in}}});
  const auto residual =
      graph.add(Op::slice, {graph.add(Op::concat, {x, x, x}, {{"axis", int64_t{2}}})},
                {{"axis", int64_t{2}}, {"start", int64_t{0}}, {"end", out}});
  id =
      graph.add(Op::linear,
                {x, test::weight(graph, {out, in}, "w"), test::weight(graph, {out}, "b"), residual},
                {{"activation", static_cast<int64_t>(ops::Activation::gelu)}});
  graph.add_output("y", id);
  return graph;
}

TEST(LowerPrecision, LinearLayersAreWhatTheReferenceSays) {
  for (const auto& [in, out] : {std::pair<int64_t, int64_t>{7, 3}, {33, 40}, {130, 67}}) {
    ValueId id{};
    const auto graph = layer(in, out, id);
    const auto x = test::random_tensor({3, 5, in}, "x");
    // Without bf16 arithmetic the rows of x are not rounded.
    const double half = arithmetic().computes_bf16 ? 1e-5 : 1e-2;
    EXPECT_LT(difference(graph, {{id, {Precision::bf16}}}, x), half) << in;
    // A byte may round the other way where x / scale lies between two.
    EXPECT_LT(difference(graph, {{id, {Precision::int8}}}, x), 1e-4) << in;
    EXPECT_LT(difference(graph, {{id, {Precision::int8, 0.003, 119}}}, x), 1e-4) << in;
  }
}

TEST(LowerPrecision, AttentionIsWhatTheReferenceSays) {
  for (const int64_t cosine : {0, 1}) {
    Graph graph;
    const auto x = graph.add_input("x", {DType::F32, {{1, true}, {21}, {48}}});
    const auto y = graph.add(Op::attention, {x, x, x},
                             {{"heads", int64_t{2}},
                              {"head_dim", int64_t{8}},
                              {"scale", cosine ? 10.0 : 0.35},
                              {"k_offset", int64_t{16}},
                              {"v_offset", int64_t{32}},
                              {"cosine", cosine},
                              {"precision", static_cast<int64_t>(Precision::bf16)}});
    graph.add_output("y", y);
    const auto tokens = test::random_tensor({2, 21, 48}, "tokens");
    const auto found = run(graph, tokens);
    // The reference, called directly.
    std::vector<float> expected(found.size());
    const auto& node = graph.value(y);
    std::vector<ops::Operand> operands(7);
    for (size_t i = 0; i < 3; ++i)
      operands[i] = {tokens.bytes().data(), DType::F32, ops::Extents(tokens.shape())};
    const Shape shape = {2, 21, 16};
    const auto& op = ops::info(Op::attention);
    op.reference(ops::Call(
        op, operands, node.attributes,
        {std::as_writable_bytes(std::span(expected)).data(), DType::F32, ops::Extents(shape)}));
    for (size_t i = 0; i < found.size(); ++i)
      ASSERT_NEAR(found[i], expected[i], 4e-3) << cosine << " " << i;
  }
}

TEST(LowerPrecision, TheSameBitsForAnyNumberOfThreads) {
  ValueId id{};
  plan::Plan plan;
  plan.graph = layer(130, 67, id);
  const auto x = test::random_tensor({3, 5, 130}, "x");
  for (const auto precision : {Precision::bf16, Precision::int8}) {
    const auto model = std::make_shared<Model>(compile::emit(plan, {{id, {precision}}}));
    const auto bits = [&](int threads) {
      const auto out = make_engine(model, {.threads = threads})->run({{"x", x}});
      const auto values = out.at(0).second.as<float>();
      return std::vector<float>(values.begin(), values.end());
    };
    EXPECT_EQ(bits(1), bits(2));
    EXPECT_EQ(bits(1), bits(3));
  }
}

}  // namespace
}  // namespace saccade::runtime
