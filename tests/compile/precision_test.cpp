// Precision between the two halves of the compiler: what can have it, how weights are stored then,
// and that nothing changes for fp32.

#include <algorithm>

#include <gtest/gtest.h>

#include "saccade/compile/compile.h"
#include "saccade/compile/ir/text.h"
#include "saccade/runtime/session.h"
#include "tests/plan/graphs.h"

namespace saccade::compile {
namespace {

using ops::Op, ops::Precision, plan::Graph, plan::ValueId;

plan::Plan optimised_vit() {
  plan::Plan raw;
  raw.graph = test::small_vit();
  return optimise(raw);
}

Assignment all_in(const plan::Plan& optimised, Precision precision) {
  Assignment assignment;
  for (const ValueId id : products_of(optimised.graph))
    assignment[id] = {can_compute(optimised.graph, id, precision) ? precision : Precision::bf16};
  return assignment;
}

std::vector<float> answers(plan::Plan plan) {
  const auto engine = runtime::make_engine(std::make_shared<runtime::Model>(std::move(plan)));
  const auto out = engine->run({{"images", test::random_tensor({2, 3, 8, 8}, "images")}});
  const auto values = out.at(0).second.as<float>();
  return {values.begin(), values.end()};
}

TEST(Precision, ProductsAreLinearLayersAndAttention) {
  const auto optimised = optimised_vit();
  const auto products = products_of(optimised.graph);
  EXPECT_EQ(products.size(), 1U + 2 * (4 + 1) + 1);
  for (const ValueId id : products) {
    const bool linear = optimised.graph.is_node(id, Op::linear);
    EXPECT_TRUE(can_compute(optimised.graph, id, Precision::bf16));
    EXPECT_EQ(can_compute(optimised.graph, id, Precision::int8), linear);
  }
}

TEST(Precision, WeightsAreStoredAsTheyAreMultiplied) {
  const auto optimised = optimised_vit();
  for (const auto precision : {Precision::fp32, Precision::bf16, Precision::int8}) {
    const auto plan = emit(optimised, all_in(optimised, precision));
    EXPECT_EQ(plan::find_problem(plan.graph), "");
    EXPECT_EQ(plan.info.precision, precision == Precision::fp32   ? "fp32"
                                   : precision == Precision::bf16 ? "bf16"
                                                                  : "mixed");
    for (const auto& node : plan.graph.values) {
      if (node.kind != plan::ValueKind::node || node.op != Op::linear) continue;
      const auto& weight = plan.graph.constant_of(node.operands[1]);
      EXPECT_EQ(weight.layout, ops::Layout::panels);
      EXPECT_EQ(weight.dtype, precision == Precision::fp32   ? DType::F32
                              : precision == Precision::bf16 ? DType::BF16
                                                             : DType::I8);
      EXPECT_EQ(node.operands[4] == plan::kAbsent, precision != Precision::int8);
    }
    EXPECT_EQ(print(parse(print(plan.graph), plan.graph.constants, "t")), print(plan.graph));
  }
}

TEST(Precision, Fp32IsWhatCompileGives) {
  plan::Plan raw;
  raw.graph = test::small_vit();
  const auto optimised = optimise(raw);
  EXPECT_EQ(plan::serialize(emit(optimised, all_in(optimised, Precision::fp32))),
            plan::serialize(compile(raw)));
}

TEST(Precision, AnswersStayNear) {
  const auto optimised = optimised_vit();
  const auto exact = answers(emit(optimised, {}));
  for (const auto precision : {Precision::bf16, Precision::int8}) {
    const auto found = answers(emit(optimised, all_in(optimised, precision)));
    double difference = 0, scale = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      difference = std::max(difference, std::abs(double{exact[i]} - found[i]));
      scale = std::max(scale, std::abs(double{exact[i]}));
    }
    EXPECT_GT(difference, 0.0);
    EXPECT_LT(difference, 0.05 * scale);
  }
}

TEST(Precision, OneWeightMayBeStoredTwice) {
  Graph graph;
  const auto x = graph.add_input("x", {DType::F32, {{1, true}, {4}}});
  const auto w = test::weight(graph, {4, 4}, "w");
  const auto a = graph.add(Op::linear, {x, w}), b = graph.add(Op::linear, {a, w});
  const auto c = graph.add(Op::linear, {b, w});
  graph.add_output("y", c);
  plan::Plan plan;
  plan.graph = graph;
  const auto out = emit(plan, {{a, {Precision::bf16}}, {c, {Precision::bf16}}});
  EXPECT_EQ(out.info.precision, "mixed");
  EXPECT_EQ(std::ranges::count(out.graph.constants, DType::BF16, &plan::Constant::dtype), 1);
  EXPECT_EQ(std::ranges::count(out.graph.constants, DType::F32, &plan::Constant::dtype), 1);
}

TEST(Precision, WeightsThatAreReadOtherwiseStay) {
  Graph graph;
  const auto x = graph.add_input("x", {DType::F32, {{1, true}, {4}}});
  const auto w = test::weight(graph, {4, 4}, "w");
  graph.add_output("y", graph.add(Op::linear, {x, w}));
  graph.add_output("w", w);
  EXPECT_TRUE(products_of(graph).empty());
}

TEST(Precision, WeightsThatAreNoNumbersHaveNoInt8) {
  Graph graph;
  const auto x = graph.add_input("x", {DType::F32, {{1, true}, {2}}});
  const std::vector<float> values = {1, INFINITY};
  const auto w = graph.add_constant(
      plan::make_constant("w", HostTensor::of({1, 2}, std::span<const float>(values))));
  const auto y = graph.add(Op::linear, {x, w});
  graph.add_output("y", y);
  EXPECT_TRUE(can_compute(graph, y, Precision::bf16));
  EXPECT_FALSE(can_compute(graph, y, Precision::int8));
}

}  // namespace
}  // namespace saccade::compile
