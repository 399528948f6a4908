#include "saccade/plan/plan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/plan/crc32c.h"
#include "tests/plan/graphs.h"

namespace saccade::plan {
namespace {

Plan small_plan() {
  Plan plan;
  plan.graph = test::small_vit({.side = 4, .dim = 4, .hidden = 4, .classes = 3, .depth = 1});
  auto& larger = plan.others.emplace_back();
  larger.graph = test::small_vit({.side = 8, .dim = 4, .hidden = 4, .classes = 3, .depth = 1});
  larger.recordings.push_back({{{"images", test::random_tensor({1, 3, 8, 8}, "in")}},
                               {{"logits", test::random_tensor({1, 3}, "out")}}});
  plan.info.name = "small";
  plan.info.labels = {"cat", "dog", "Übung"};
  plan.info.pipeline = Pipeline{};
  plan.recordings.push_back({{{"images", test::random_tensor({2, 3, 4, 4}, "in")}},
                             {{"logits", test::random_tensor({2, 3}, "out")}}});
  return plan;
}

ErrorKind kind_of(std::span<const std::byte> bytes) {
  try {
    static_cast<void>(parse(bytes, nullptr, "small.plan"));
  } catch (const Error& e) {
    return e.kind();
  }
  return ErrorKind::interrupted;  // stands for: it was accepted
}

TEST(Plan, ComesBackAsItWasWritten) {
  const auto plan = small_plan();
  const auto bytes = serialize(plan);
  const auto again = parse(bytes, nullptr, "small.plan");
  EXPECT_EQ(serialize(again), bytes);
  EXPECT_EQ(to_json(again.info), to_json(plan.info));
  ASSERT_EQ(again.graph.values.size(), plan.graph.values.size());
  for (size_t i = 0; i < plan.graph.values.size(); ++i) {
    EXPECT_EQ(again.graph.values[i].type, plan.graph.values[i].type);
    EXPECT_EQ(again.graph.values[i].path, plan.graph.values[i].path);
  }
  ASSERT_EQ(again.recordings.size(), 1U);
  EXPECT_EQ(again.recordings[0].outputs[0].second.shape(), (Shape{2, 3}));
  for (const auto& constant : again.graph.constants)
    EXPECT_EQ(reinterpret_cast<uintptr_t>(constant.bytes.data()) % 64, 0U);
}

TEST(Plan, SizesShareTheirWeights) {
  const auto plan = small_plan();
  auto alone = plan;
  alone.others.clear();
  const auto both = parse(serialize(plan), nullptr, "small.plan");
  ASSERT_EQ(both.others.size(), 1U);
  EXPECT_EQ(both.others[0].recordings.at(0).inputs[0].second.shape(), (Shape{1, 3, 8, 8}));
  const auto& constants = both.graph.constants;
  // The positions alone belong to one size.
  EXPECT_EQ(constants.size(), plan.graph.constants.size() + 1);
  EXPECT_EQ(std::ranges::count(constants, "patch.weight", &Constant::name), 1);
  EXPECT_EQ(std::ranges::count(constants, "pos", &Constant::name), 2);
  EXPECT_EQ(picture_size(both.others[0].graph), std::pair(int64_t{8}, int64_t{8}));
}

TEST(Plan, SizesMustDifferInSizeAlone) {
  const auto problem = [](const auto& change) {
    auto plan = small_plan();
    change(plan);
    return find_problem(plan);
  };
  EXPECT_EQ(problem([](Plan&) {}), "");
  EXPECT_NE(problem([](Plan& p) { p.others.push_back(p.others[0]); }), "");
  EXPECT_NE(problem([](Plan& p) { p.others[0].graph.outputs[0].name = "other"; }), "");
  EXPECT_NE(problem([](Plan& p) { p.others[0].graph.values[0].name = "other"; }), "");
  EXPECT_NE(problem([](Plan& p) { p.others[0].graph.values.back().operands[0] = 1 << 20; }), "");
}

TEST(Plan, FilesAreMappedOrRead) {
  const auto path = std::filesystem::path(testing::TempDir()) / "saccade_plan_test.plan";
  write(small_plan(), path);
  EXPECT_TRUE(is_plan(path));
  for (const auto residence : {Residence::automatic, Residence::mapped, Residence::read})
    EXPECT_EQ(serialize(open(path, {residence})), serialize(small_plan()));
  std::filesystem::remove(path);
}

TEST(Plan, EveryTruncationIsAnError) {
  const auto bytes = serialize(small_plan());
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_EQ(kind_of(std::span(bytes).first(size)), ErrorKind::bad_input) << size;
}

TEST(Plan, EveryFlippedBitIsAnError) {
  auto bytes = serialize(small_plan());
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    bytes[bit / 8] ^= mask;
    const auto kind = kind_of(bytes);
    ASSERT_TRUE(kind == ErrorKind::bad_input || (kind == ErrorKind::not_supported && bit < 96))
        << "bit " << bit;
    bytes[bit / 8] ^= mask;
  }
}

TEST(Plan, BytesBehindTheEndAreAnError) {
  auto bytes = serialize(small_plan());
  bytes.resize(bytes.size() + 64);
  EXPECT_EQ(kind_of(bytes), ErrorKind::bad_input);
}

TEST(Plan, OtherVersionsAreRefusedByName) {
  auto bytes = serialize(small_plan());
  bytes[8] = std::byte{9};
  try {
    static_cast<void>(parse(bytes, nullptr, "small.plan"));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::not_supported);
    EXPECT_NE(std::string(e.what()).find("version 9"), std::string::npos);
  }
}

TEST(Plan, SumsAreCrc32c) {
  const std::string_view text = "123456789";
  EXPECT_EQ(crc32c(std::as_bytes(std::span(text))), 0xE3069283U);
  EXPECT_EQ(crc32c(std::as_bytes(std::span(text.substr(4))),
                   crc32c(std::as_bytes(std::span(text.substr(0, 4))))),
            0xE3069283U);
}

TEST(Plan, GraphProblemsAreFound) {
  Graph graph = small_plan().graph;
  EXPECT_EQ(find_problem(graph), "");
  auto later = graph;
  later.values[later.values.size() - 1].operands[0] = static_cast<ValueId>(later.values.size());
  EXPECT_NE(find_problem(later), "");
  auto other_type = graph;
  other_type.values.back().type.dims.back().size += 1;
  EXPECT_NE(find_problem(other_type), "");
  auto twice = graph;
  twice.outputs.push_back(twice.outputs[0]);
  EXPECT_NE(find_problem(twice), "");
  auto none = graph;
  none.outputs.clear();
  EXPECT_NE(find_problem(none), "");
}

/// One int8 layer with the scales and sums that are given.
std::string problem_of_int8(const std::vector<float>& scale, const std::vector<int32_t>& sum,
                            bool constant = true) {
  Graph graph;
  const auto x = graph.add_input("x", {DType::F32, {{1, true}, {4}}});
  auto panels = std::make_shared<std::vector<std::byte>>(
      static_cast<size_t>(ops::panel_bytes(DType::I8, 2, 4)));
  const auto weight =
      graph.add_constant({"w", DType::I8, {2, 4}, ops::Layout::panels, *panels, panels});
  const auto scales = constant ? graph.add_constant(make_constant(
                                     "s", HostTensor::of({2}, std::span<const float>(scale))))
                               : graph.add_input("s", {DType::F32, {{2}}});
  const auto sums =
      graph.add_constant(make_constant("t", HostTensor::of({2}, std::span<const int32_t>(sum))));
  graph.add_output("y", graph.add(ops::Op::linear, {x, weight, kAbsent, kAbsent, scales, sums},
                                  {{"precision", int64_t{2}}}));
  return find_problem(graph);
}

TEST(Plan, Int8LayersAreChecked) {
  EXPECT_EQ(problem_of_int8({0.5F, 2.0F}, {512, -512}), "");
  EXPECT_NE(problem_of_int8({0.5F, INFINITY}, {0, 0}).find("weight_scale has inf"),
            std::string::npos);
  EXPECT_NE(problem_of_int8({0.5F, NAN}, {0, 0}), "");
  EXPECT_NE(problem_of_int8({0.5F, 2.0F}, {513, 0}).find("weight_sum has 513"), std::string::npos);
  EXPECT_NE(problem_of_int8({0.5F, 2.0F}, {0, INT32_MIN}), "");
  EXPECT_NE(problem_of_int8({0.5F, 2.0F}, {0, 0}, false).find("must be constants"),
            std::string::npos);
}

TEST(Plan, PlansInLowerPrecisionAreDamagedNoLess) {
  Plan plan;
  Graph& graph = plan.graph;
  const auto x = graph.add_input("x", {DType::F32, {{1, true}, {4}}});
  const auto pack = [&](DType type, const std::string& name) {
    auto bytes = std::make_shared<std::vector<std::byte>>(
        static_cast<size_t>(ops::panel_bytes(type, 4, 4)), std::byte{1});
    return graph.add_constant({name, type, {4, 4}, ops::Layout::panels, *bytes, bytes});
  };
  const std::vector<float> scale(4, 0.5F);
  const std::vector<int32_t> sum(4, 4);
  const auto half =
      graph.add(ops::Op::linear, {x, pack(DType::BF16, "a")}, {{"precision", int64_t{1}}});
  const auto whole = graph.add(
      ops::Op::linear,
      {half, pack(DType::I8, "b"), kAbsent, kAbsent,
       graph.add_constant(make_constant("s", HostTensor::of({4}, std::span<const float>(scale)))),
       graph.add_constant(make_constant("t", HostTensor::of({4}, std::span<const int32_t>(sum))))},
      {{"precision", int64_t{2}}, {"input_scale", 0.25}, {"input_zero", int64_t{3}}});
  graph.add_output("y", whole);
  auto bytes = serialize(plan);
  const auto again = parse(bytes, nullptr, "small.plan");
  EXPECT_EQ(serialize(again), bytes);
  EXPECT_EQ(attribute<double>(again.graph.values[static_cast<size_t>(whole)], "input_scale"), 0.25);
  EXPECT_EQ(attribute<int64_t>(again.graph.values[static_cast<size_t>(whole)], "input_zero"), 3);
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    bytes[bit / 8] ^= mask;
    ASSERT_NE(kind_of(bytes), ErrorKind::interrupted) << "bit " << bit;
    bytes[bit / 8] ^= mask;
  }
}

TEST(Plan, NothingThatWritesItsOperandGetsIntoAPlan) {
  Graph graph;
  const auto x = graph.add_input("x", {DType::F32, {{1, true}}});
  graph.add_output("y", graph.add(ops::Op::assign, {x, graph.add(ops::Op::relu, {x})}));
  EXPECT_NE(find_problem(graph).find("assign writes its operand"), std::string::npos);
  EXPECT_EQ(find_problem(graph, false), "");
}

TEST(Plan, TablesOfRowsStayWithinRange) {
  const auto with_rows = [](std::vector<int64_t> rows) {
    Graph graph;
    const auto x = graph.add_input("x", {DType::F32, {{1, true}, {4}}});
    const Shape shape = {static_cast<int64_t>(rows.size())};
    const auto index = graph.add_constant(
        make_constant("rows", HostTensor::of(shape, std::span<const int64_t>(rows))));
    graph.add_output("y", graph.add(ops::Op::gather, {x, index}, {{"axis", int64_t{1}}}));
    return find_problem(graph);
  };
  EXPECT_EQ(with_rows({0, 3, 3}), "");
  EXPECT_NE(with_rows({4}), "");
  EXPECT_NE(with_rows({-1}), "");
}

}  // namespace
}  // namespace saccade::plan
