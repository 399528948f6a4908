// Every operator that has a fast kernel: the same numbers as its reference, for any number of
// threads, alone and in a batch.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "saccade/compile/ir/evaluate.h"
#include "saccade/compile/ir/text.h"
#include "saccade/runtime/session.h"
#include "tests/plan/graphs.h"

namespace saccade::runtime {
namespace {

using ops::Op;
using Integers = std::vector<int64_t>;

constexpr int64_t kBatch = 3;

/// An operand: numbers of each picture, a constant, or nothing.
struct Given {
  Shape shape = {};  ///< without N
  bool constant = false;
  HostTensor index = {};
};
Given input(Shape shape) { return {std::move(shape), false, {}}; }
Given constant(Shape shape) { return {std::move(shape), true, {}}; }
Given index(const std::vector<int64_t>& values) {
  HostTensor tensor(DType::I64, {static_cast<int64_t>(values.size())});
  std::ranges::copy(values, tensor.fill<int64_t>().begin());
  return {{}, true, std::move(tensor)};
}
const Given kNothing;

plan::Graph graph_of(Op op, const std::vector<Given>& operands,
                     const ops::NamedAttributes& attributes) {
  plan::Graph graph;
  std::vector<plan::ValueId> ids;
  for (const auto& given : operands) {
    const auto name = fmt::format("x{}", ids.size());
    if (given.index.numel() > 0) {
      ids.push_back(graph.add_constant(plan::make_constant(name, given.index)));
    } else if (given.shape.empty()) {
      ids.push_back(plan::kAbsent);
    } else if (given.constant) {
      ids.push_back(test::weight(graph, given.shape, name));
    } else {
      auto dims = ops::fixed_dims(given.shape);
      dims.insert(dims.begin(), {1, true});
      ids.push_back(graph.add_input(name, {DType::F32, dims}));
    }
  }
  graph.add_output("y", graph.add(op, ids, attributes));
  return graph;
}

HostTensor input_of(const plan::Value& value, int64_t batch) {
  const auto shape = resolve(value.type.dims, batch);
  return test::random_tensor(Shape(shape.span().begin(), shape.span().end()), value.name);
}

HostTensor expected(const plan::Graph& graph, int64_t batch) {
  const auto& node = graph.values.back();
  std::vector<HostTensor> operands;
  for (const auto id : node.operands) {
    if (id == plan::kAbsent)
      operands.emplace_back();
    else if (graph.is_constant(id))
      operands.push_back(plan::to_tensor(graph.constant_of(id)));
    else
      operands.push_back(input_of(graph.value(id), batch));
  }
  return compile::evaluate(node, operands, batch);
}

/// What a session with so many threads answers, and the name of the kernel that it took.
HostTensor answer(const std::shared_ptr<const Model>& model, int threads, int64_t batch,
                  std::string& kernel) {
  Session session(model, {.threads = threads, .profile = true});
  session.prepare(batch);
  for (size_t i = 0; i < model->inputs().size(); ++i) {
    const auto tensor = input_of(model->graph().value(model->inputs()[i]), batch);
    std::ranges::copy(tensor.bytes(), session.input(i).begin());
  }
  session.run();
  kernel = session.times().back().kernel;
  return contiguous(session.output(0));
}

void check(Op op, const std::vector<Given>& operands, const ops::NamedAttributes& attributes = {},
           double tolerance = 2e-5) {
  const auto graph = graph_of(op, operands, attributes);
  SCOPED_TRACE(compile::print(graph));
  plan::Plan plan;
  plan.graph = graph;
  const auto model = std::make_shared<const Model>(std::move(plan));
  for (const int64_t batch : {int64_t{1}, kBatch}) {
    const auto want = expected(graph, batch);
    for (const int threads : {1, 2, 5}) {
      std::string kernel;
      const auto got = answer(model, threads, batch, kernel);
      EXPECT_NE(kernel, "reference");
      ASSERT_EQ(got.shape(), want.shape());
      for (int64_t i = 0; i < want.numel(); ++i)
        ASSERT_NEAR(got.as<float>()[static_cast<size_t>(i)],
                    want.as<float>()[static_cast<size_t>(i)], tolerance)
            << i;
    }
  }
}

TEST(Kernels, PermuteInAnyOrder) {
  for (const auto& axes :
       {Integers{0, 2, 1, 3}, {0, 3, 1, 2}, {0, 1, 3, 2}, {3, 0, 2, 1}, {0, 1, 2, 3}})
    check(Op::permute, {input({5, 70, 33})}, {{"axes", axes}});
  check(Op::permute, {input({1, 1})}, {{"axes", Integers{2, 1, 0}}});
}

TEST(Kernels, SliceExpandConcat) {
  const auto slice = [](int64_t axis, int64_t start, int64_t end, int64_t step) {
    check(Op::slice, {input({9, 40})},
          {{"axis", axis}, {"start", start}, {"end", end}, {"step", step}});
  };
  slice(1, 2, 9, 3);
  slice(2, 1, 40, 2);
  slice(2, 39, 40, 1);
  const ops::Dims rows{{1, true}, {7}, {40}};
  check(Op::expand, {input({1, 40})}, {{"shape", rows}});
  check(Op::expand, {constant({1, 1, 40})}, {{"shape", rows}});
  check(Op::concat, {input({1, 40}), input({196, 40})}, {{"axis", int64_t{1}}});
  check(Op::concat, {input({4, 5}), input({4, 2}), input({4, 1})}, {{"axis", int64_t{2}}});
}

TEST(Kernels, Gather) {
  check(Op::gather, {input({6, 7}), index({5, 0, 0, 3})}, {{"axis", int64_t{1}}});
  check(Op::gather, {input({6, 7}), index({6, 1, 2})}, {{"axis", int64_t{2}}});
}

TEST(Kernels, PatchesWithPaddingAndDilation) {
  check(Op::patches, {input({3, 16, 24})},
        {{"kernel", Integers{4, 4}}, {"stride", Integers{4, 4}}});
  check(Op::patches, {input({2, 9, 11})},
        {{"kernel", Integers{3, 2}},
         {"stride", Integers{2, 1}},
         {"padding", Integers{1, 2}},
         {"dilation", Integers{2, 3}}});
}

TEST(Kernels, MixOfRows) {
  check(Op::mix, {input({49, 40}), constant({20, 49}), kNothing, kNothing});
  check(Op::mix, {input({5, 33}), constant({7, 5}), constant({7}), input({7, 33})},
        {{"activation", static_cast<int64_t>(ops::Activation::gelu)}});
  check(Op::mix, {input({49, 40}), constant({20, 49}), kNothing, kNothing},
        {{"precision", static_cast<int64_t>(ops::Precision::bf16)}}, 1e-3);
  check(Op::mix, {input({3, 16}), constant({800, 3}), kNothing, kNothing});
}

TEST(Kernels, LayerNormWithResidual) {
  check(Op::layer_norm, {input({5, 33}), constant({33}), constant({33}), input({5, 33})},
        {{"eps", 1e-5}});
}

}  // namespace
}  // namespace saccade::runtime
