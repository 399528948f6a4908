// Every pass keeps what a graph computes; what each is for is checked on the graph that it leaves.

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/compile/compile.h"
#include "saccade/compile/ir/text.h"
#include "saccade/compile/passes/passes.h"
#include "saccade/runtime/session.h"
#include "tests/compile/windows.h"
#include "tests/plan/graphs.h"

namespace saccade::compile {
namespace {

using ops::Op, plan::Graph;

std::vector<float> answers(const Graph& graph, const HostTensor& input) {
  plan::Plan plan;
  plan.graph = graph;
  const auto engine = runtime::make_engine(std::make_shared<runtime::Model>(std::move(plan)));
  const auto out = engine->run({{"images", input}});
  const auto values = out.at(0).second.as<float>();
  return {values.begin(), values.end()};
}

void expect_same(const Graph& a, const Graph& b, const HostTensor& input, std::string_view what) {
  const auto x = answers(a, input), y = answers(b, input);
  ASSERT_EQ(x.size(), y.size()) << what;
  for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], 2e-5) << what << " " << i;
}

int64_t count(const Graph& graph, Op op) {
  return std::ranges::count_if(graph.values, [&](const auto& value) {
    return value.kind == plan::ValueKind::node && value.op == op;
  });
}

plan::Plan plan_of(Graph graph) {
  plan::Plan plan;
  plan.graph = std::move(graph);
  plan.info.raw = true;
  return plan;
}

/// Compiles and compares after every pass.
Graph compiled(const Graph& graph, const HostTensor& input) {
  CompileOptions options;
  options.observe = [&](std::string_view pass, const Graph& after, double) {
    expect_same(graph, after, input, pass);
  };
  return compile(plan_of(graph), options).graph;
}

TEST(Passes, TransformerBecomesAFewOperators) {
  const auto images = test::random_tensor({3, 3, 8, 8}, "images");
  const auto graph = compiled(test::small_vit(), images);
  SCOPED_TRACE(print(graph));
  EXPECT_EQ(count(graph, Op::attention), 2);
  EXPECT_EQ(count(graph, Op::sdpa), 0);
  EXPECT_EQ(count(graph, Op::permute), 0);
  EXPECT_EQ(count(graph, Op::conv2d), 0);
  EXPECT_EQ(count(graph, Op::gelu), 0);
  EXPECT_EQ(count(graph, Op::linear), 1 + 2 * 4 + 1);
  EXPECT_EQ(count(graph, Op::add), 1);  // the positions: class token and patches meet there
  for (const auto& constant : graph.constants)
    EXPECT_EQ(constant.layout == ops::Layout::panels,
              constant.name.ends_with("weight") && constant.shape.size() == 2);
}

TEST(Passes, ShiftedWindowsAreReadWhereTheyLie) {
  for (const bool cosine : {false, true}) {
    const auto input = test::random_tensor({2, 6, 4, 8}, "map");
    const auto graph = compiled(test::windowed_block({.shift = 1, .cosine = cosine}), input);
    SCOPED_TRACE(print(graph));
    EXPECT_EQ(count(graph, Op::attention), 1);
    for (const auto op : {Op::roll, Op::permute, Op::sdpa, Op::gather, Op::l2_normalize, Op::div})
      EXPECT_EQ(count(graph, op), 0);
    const auto node = std::ranges::find(graph.values, Op::attention, &plan::Value::op);
    EXPECT_EQ(plan::attribute<int64_t>(*node, "cosine"), int64_t{cosine});
    EXPECT_NE(node->operands[3], plan::kAbsent);
    EXPECT_NE(node->operands[4], plan::kAbsent);
    EXPECT_NE(node->operands[5], plan::kAbsent);
  }
}

TEST(Passes, AttentionThatMixesPicturesIsLeftAlone) {
  // Windows outermost, pictures inside: the same types, another meaning.
  const auto graph = test::windowed_block({.shift = 0, .pictures_inside = true});
  const auto input = test::random_tensor({2, 6, 4, 8}, "map");
  EXPECT_EQ(count(compiled(graph, input), Op::attention), 0);
}

TEST(Passes, EachCanBeSkipped) {
  const auto graph = test::windowed_block({.shift = 1});
  const auto input = test::random_tensor({1, 6, 4, 8}, "map");
  for (const auto& pass : passes()) {
    const auto result = compile(plan_of(graph), {.skip = {std::string(pass.name)}, .observe = {}});
    expect_same(graph, result.graph, input, pass.name);
  }
}

TEST(Passes, UnknownNamesAreUsageErrors) {
  try {
    static_cast<void>(compile(plan_of(test::small_vit()), {.skip = {"magic"}, .observe = {}}));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(e.what()).find("fuse_epilogue"), std::string::npos);
  }
}

TEST(Passes, TextOfEveryStageParsesBack) {
  CompileOptions options;
  options.observe = [](std::string_view pass, const Graph& graph, double) {
    EXPECT_EQ(print(parse(print(graph), graph.constants, pass)), print(graph)) << pass;
  };
  static_cast<void>(compile(plan_of(test::windowed_block({.shift = 1})), options));
}

TEST(Passes, ConstantsAreFoldedAndSharedOnce) {
  Graph graph;
  const auto x = graph.add_input("images", {DType::F32, {{1, true}, {4}}});
  const auto a = test::weight(graph, {4}, "a"), b = test::weight(graph, {4}, "a");
  const auto sum = graph.add(Op::add, {graph.add(Op::exp, {a}), graph.add(Op::exp, {b})});
  graph.add_output("y", graph.add(Op::mul, {x, sum}));
  const auto result = compiled(graph, test::random_tensor({2, 4}, "x"));
  EXPECT_EQ(result.values.size(), 3U);
  EXPECT_EQ(result.constants.size(), 1U);
}

/// y = x + fc2(gelu(fc1(x^T)))^T, and a normalisation behind which something is added.
TEST(Passes, TokenMixingWorksOnRowsAsTheyLie) {
  Graph graph;
  const auto x = graph.add_input("images", {DType::F32, {{1, true}, {6}, {8}}});
  const auto swap = [&](plan::ValueId id) {
    return graph.add(Op::permute, {id}, {{"axes", std::vector<int64_t>{0, 2, 1}}});
  };
  const auto linear = [&](plan::ValueId id, int64_t out, int64_t in, const char* name) {
    return graph.add(
        Op::linear, {id, test::weight(graph, {out, in}, name), test::weight(graph, {out}, "bias")});
  };
  const auto hidden = graph.add(Op::gelu, {linear(swap(x), 10, 6, "fc1")});
  const auto mixed = graph.add(Op::add, {x, swap(linear(hidden, 6, 10, "fc2"))});
  const auto norm = graph.add(Op::layer_norm, {linear(mixed, 8, 8, "proj")});
  graph.add_output("y", graph.add(Op::add, {mixed, norm}));
  const auto result = compiled(graph, test::random_tensor({3, 6, 8}, "x"));
  SCOPED_TRACE(print(result));
  EXPECT_EQ(count(result, Op::mix), 2);
  EXPECT_EQ(count(result, Op::layer_norm), 1);
  EXPECT_EQ(count(result, Op::linear), 1);
  for (const auto op : {Op::permute, Op::gelu, Op::add}) EXPECT_EQ(count(result, op), 0);
}

TEST(Passes, BatchNormBecomesPartOfItsConvolution) {
  for (const bool with_bias : {false, true}) {
    Graph graph;
    const auto x = graph.add_input("images", {DType::F32, {{1, true}, {3}, {6}, {6}}});
    const auto conv =
        graph.add(Op::conv2d, {x, test::weight(graph, {4, 3, 3, 3}, "weight"),
                               with_bias ? test::weight(graph, {4}, "bias") : plan::kAbsent});
    auto variance = test::random_tensor({4}, "variance");
    for (auto& v : variance.fill<float>()) v += 1;
    graph.add_output(
        "y", graph.add(Op::batch_norm,
                       {conv, test::weight(graph, {4}, "gamma"), test::weight(graph, {4}, "beta"),
                        test::weight(graph, {4}, "mean"),
                        graph.add_constant(plan::make_constant("variance", variance))}));
    const auto result = compiled(graph, test::random_tensor({2, 3, 6, 6}, "x"));
    EXPECT_EQ(count(result, Op::batch_norm), 0);
    EXPECT_EQ(count(result, Op::linear), 1);
  }
}

}  // namespace
}  // namespace saccade::compile
