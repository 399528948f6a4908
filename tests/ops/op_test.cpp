// Type rules and reference kernels, one operator after the other, against numbers worked out by
// hand or by the definition.

#include "saccade/ops/op.h"

#include <cmath>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "saccade/ops/context.h"
#include "tests/ops/refusal.h"
#include "tests/plan/graphs.h"

namespace saccade::ops {
namespace {

using Integers = std::vector<int64_t>;

HostTensor floats(Shape shape, std::vector<float> values) {
  return HostTensor::of(std::move(shape), std::span<const float>(values));
}
HostTensor integers(Shape shape, Integers values) {
  return HostTensor::of(std::move(shape), std::span<const int64_t>(values));
}
/// 0, 1, 2, ...
HostTensor counting(Shape shape) {
  HostTensor tensor(DType::F32, std::move(shape));
  const auto values = tensor.fill<float>();
  std::iota(values.begin(), values.end(), 0.0F);
  return tensor;
}

Type fixed_type(const HostTensor& tensor) { return {tensor.dtype(), fixed_dims(tensor.shape())}; }

/// Applies an operator to tensors; an empty optional is an absent operand.
HostTensor apply(Op op, const std::vector<std::optional<HostTensor>>& operands,
                 const NamedAttributes& named = {}) {
  const auto& row = info(op);
  const auto attributes = complete(row, named);
  std::vector<Type> types(std::max(operands.size(), row.operands.size()));
  std::vector<const Type*> pointers(types.size());
  std::vector<Operand> values(types.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i]) continue;
    types[i] = fixed_type(*operands[i]);
    pointers[i] = &types[i];
    values[i] = {operands[i]->bytes().data(), operands[i]->dtype(), Extents(operands[i]->shape())};
  }
  const auto type = infer(row, pointers, attributes);
  const auto extents = resolve(type.dims, 1);
  HostTensor out(type.dtype, Shape(extents.span().begin(), extents.span().end()));
  row.reference(Call(row, values, attributes,
                     {const_cast<std::byte*>(out.bytes().data()), type.dtype, extents}));
  return out;
}

std::vector<float> values(const HostTensor& tensor) {
  const auto view = tensor.as<float>();
  return {view.begin(), view.end()};
}

void expect_near(const HostTensor& tensor, const std::vector<double>& expected,
                 double tolerance = 1e-6) {
  ASSERT_EQ(tensor.as<float>().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(tensor.as<float>()[i], expected[i], tolerance) << i;
}

std::string refusal(Op op, const std::vector<Type>& types, const NamedAttributes& named = {}) {
  std::vector<const Type*> pointers;
  pointers.reserve(types.size());
  for (const auto& type : types) pointers.push_back(&type);
  return refusal(op, pointers, named);
}

TEST(OpTable, IsConsistent) {
  std::set<std::string_view> names;
  for (const auto* op : all_ops()) {
    EXPECT_TRUE(names.insert(op->name).second) << op->name;
    EXPECT_EQ(find_op(op->op), op);
    EXPECT_EQ(find_op(op->name), op);
    EXPECT_FALSE(op->operands.empty()) << op->name;
    EXPECT_NE(op->infer, nullptr) << op->name;
    EXPECT_NE(op->reference, nullptr) << op->name;
    for (const auto& spec : op->attributes)
      EXPECT_EQ(spec.kind == AttributeKind::choice, !spec.choices.empty()) << op->name;
  }
  EXPECT_EQ(find_op(static_cast<Op>(9999)), nullptr);
}

TEST(OpTable, MissingOperandsAndAttributesAreNamed) {
  EXPECT_NE(refusal(Op::linear, {{DType::F32, {{2}, {3}}}}).find("weight"), std::string::npos);
  EXPECT_THROW(static_cast<void>(complete(info(Op::softmax), {})), RuleError);
}

TEST(Elementwise, Broadcasts) {
  const auto a = floats({2, 1}, {1, 2}), b = floats({3}, {10, 20, 30});
  EXPECT_EQ(values(apply(Op::add, {a, b})), (std::vector<float>{11, 21, 31, 12, 22, 32}));
  EXPECT_EQ(values(apply(Op::sub, {b, a})), (std::vector<float>{9, 19, 29, 8, 18, 28}));
  EXPECT_EQ(values(apply(Op::maximum, {a, floats({}, {1.5F})})), (std::vector<float>{1.5F, 2}));
  EXPECT_NE(refusal(Op::add, {{DType::F32, {{2}}}, {DType::F32, {{3}}}}), "");
  EXPECT_NE(refusal(Op::add, {{DType::F32, {{2}}}, {DType::I64, {{2}}}}), "");
  // N pictures and N times two rows are not the same.
  EXPECT_NE(refusal(Op::add, {{DType::F32, {{1, true}}}, {DType::F32, {{2, true}}}}), "");
}

TEST(Elementwise, Functions) {
  const auto x = floats({4}, {-2, -0.5F, 0, 3});
  const auto check = [&](Op op, double (*f)(double), const NamedAttributes& attributes = {}) {
    std::vector<double> expected;
    for (const float v : x.as<float>()) expected.push_back(f(v));
    expect_near(apply(op, {x}, attributes), expected, 1e-6);
  };
  check(Op::neg, [](double v) { return -v; });
  check(Op::abs, [](double v) { return std::abs(v); });
  check(Op::exp, [](double v) { return std::exp(v); });
  check(Op::relu, [](double v) { return v > 0 ? v : 0; });
  check(Op::tanh, [](double v) { return std::tanh(v); });
  check(Op::erf, [](double v) { return std::erf(v); });
  check(Op::sigmoid, [](double v) { return 1 / (1 + std::exp(-v)); });
  check(Op::silu, [](double v) { return v / (1 + std::exp(-v)); });
  check(Op::gelu, [](double v) { return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))); });
  check(Op::gelu,
        [](double v) {
          return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
        },
        {{"approximate", int64_t{1}}});
  check(Op::clamp, [](double v) { return std::clamp(v, -1.0, 2.0); },
        {{"min", -1.0}, {"max", 2.0}});
}

TEST(Elementwise, IntegersNeverTrap) {
  const auto least = std::numeric_limits<int64_t>::min();
  const auto a = integers({2}, {least, 7}), b = integers({2}, {-1, 0});
  const auto quotient = apply(Op::div, {a, b});
  EXPECT_EQ(quotient.as<int64_t>()[0], 0);
  EXPECT_EQ(quotient.as<int64_t>()[1], 0);
  const auto huge = floats({3}, {1e30F, -1e30F, NAN});
  const auto cast = apply(Op::cast, {huge}, {{"dtype", int64_t{1}}});
  EXPECT_EQ(cast.as<int64_t>()[0], std::numeric_limits<int64_t>::max());
  EXPECT_EQ(cast.as<int64_t>()[1], least);
  EXPECT_EQ(cast.as<int64_t>()[2], 0);
}

TEST(Shapes, Moves) {
  const auto x = counting({2, 3});
  EXPECT_EQ(values(apply(Op::permute, {x}, {{"axes", Integers{1, 0}}})),
            (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values(apply(Op::slice, {x},
                         {{"axis", int64_t{1}},
                          {"start", int64_t{0}},
                          {"end", int64_t{3}},
                          {"step", int64_t{2}}})),
            (std::vector<float>{0, 2, 3, 5}));
  EXPECT_EQ(values(apply(Op::concat, {x, counting({2, 1})}, {{"axis", int64_t{1}}})),
            (std::vector<float>{0, 1, 2, 0, 3, 4, 5, 1}));
  EXPECT_EQ(values(apply(Op::roll, {x}, {{"shifts", Integers{1}}, {"axes", Integers{1}}})),
            (std::vector<float>{2, 0, 1, 5, 3, 4}));
  EXPECT_EQ(values(apply(Op::gather, {x, integers({3}, {2, 0, 2})}, {{"axis", int64_t{1}}})),
            (std::vector<float>{2, 0, 2, 5, 3, 5}));
  EXPECT_EQ(values(apply(Op::expand, {counting({2, 1})}, {{"shape", fixed_dims(Shape{2, 2})}})),
            (std::vector<float>{0, 0, 1, 1}));
  EXPECT_EQ(values(apply(Op::pad, {counting({1, 2})},
                         {{"before", Integers{1, 0}}, {"after", Integers{0, 1}}, {"value", 9.0}})),
            (std::vector<float>{9, 9, 9, 0, 1, 9}));
}

TEST(Shapes, ComputedPositionsOutsideGiveZeros) {
  const auto x = floats({3}, {1, 2, 3});
  EXPECT_EQ(values(apply(Op::gather, {x, integers({3}, {3, -1, 1})}, {{"axis", int64_t{0}}})),
            (std::vector<float>{0, 0, 2}));
}

TEST(Shapes, ReshapeKeepsTheBatchApart) {
  const Type x{DType::F32, {{1, true}, {6}}};
  EXPECT_EQ(refusal(Op::reshape, {x}, {{"shape", Dims{{2, true}, {3}}}}), "");
  EXPECT_NE(refusal(Op::reshape, {x}, {{"shape", Dims{{2}, {3}}}}), "");
  EXPECT_NE(refusal(Op::reshape, {x}, {{"shape", Dims{{2, true}, {4}}}}), "");
  EXPECT_NE(
      refusal(Op::slice, {x}, {{"axis", int64_t{0}}, {"start", int64_t{0}}, {"end", int64_t{1}}}),
      "");
}

TEST(Normalize, ByDefinition) {
  const auto x = floats({1, 3}, {1, 2, 4});
  const double sum = std::exp(1) + std::exp(2) + std::exp(4);
  expect_near(apply(Op::softmax, {x}, {{"axis", int64_t{1}}}),
              {std::exp(1) / sum, std::exp(2) / sum, std::exp(4) / sum});
  const double length = std::sqrt(21.0);
  expect_near(apply(Op::l2_normalize, {x}, {{"axis", int64_t{1}}}),
              {1 / length, 2 / length, 4 / length});
  const double mean = 7.0 / 3, deviation = std::sqrt((21.0 / 3) - mean * mean + 1e-5);
  expect_near(apply(Op::layer_norm, {x, floats({3}, {1, 2, 3}), floats({3}, {0, 0, 1})}),
              {(1 - mean) / deviation, 2 * (2 - mean) / deviation, 3 * (4 - mean) / deviation + 1});
  expect_near(apply(Op::batch_norm,
                    {floats({1, 2}, {3, 5}), floats({2}, {2, 1}), std::nullopt, floats({2}, {1, 1}),
                     floats({2}, {4, 1})},
                    {{"eps", 0.0}}),
              {2, 4});
}

TEST(Normalize, ReducesAnyAxes) {
  const auto x = counting({2, 3, 2});
  EXPECT_EQ(values(apply(Op::sum, {x}, {{"axes", Integers{0, 2}}})),
            (std::vector<float>{0 + 1 + 6 + 7, 2 + 3 + 8 + 9, 4 + 5 + 10 + 11}));
  EXPECT_EQ(values(apply(Op::mean, {x}, {{"axes", Integers{1}}, {"keepdim", int64_t{1}}})),
            (std::vector<float>{2, 3, 8, 9}));
  EXPECT_EQ(values(apply(Op::amax, {x}, {{"axes", Integers{0, 1, 2}}})), (std::vector<float>{11}));
}

TEST(Matrix, LinearWithEverything) {
  const auto x = floats({2, 2}, {1, 2, 3, -4});
  const auto y =
      apply(Op::linear,
            {x, floats({2, 2}, {1, 1, 2, 0}), floats({2}, {0, -3}), floats({1, 2}, {100, 200})},
            {{"activation", static_cast<int64_t>(Activation::relu)}});
  EXPECT_EQ(values(y), (std::vector<float>{103, 200, 100, 203}));
}

TEST(Matrix, WeightsInPanelsGiveTheSame) {
  constexpr int64_t kRows = 21, kColumns = 7;
  const auto x = test::random_tensor({3, kColumns}, "x");
  const auto w = test::random_tensor({kRows, kColumns}, "w");
  const auto plain = values(apply(Op::linear, {x, w}));
  std::vector<std::byte> panels(static_cast<size_t>(panel_bytes(DType::F32, kRows, kColumns)));
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t c = 0; c < kColumns; ++c)
      reinterpret_cast<float*>(
          panels.data())[static_cast<size_t>(panel_index(DType::F32, kColumns, r, c))] =
          w.as<float>()[static_cast<size_t>(r * kColumns + c)];
  const auto& op = info(Op::linear);
  HostTensor out(DType::F32, {3, kRows});
  std::vector<Operand> operands(op.operands.size());
  operands[0] = {x.bytes().data(), DType::F32, Extents(x.shape())};
  operands[1] = {panels.data(), DType::F32, Extents(w.shape()), Layout::panels};
  op.reference(
      Call(op, operands, complete(op, {}),
           {const_cast<std::byte*>(out.bytes().data()), DType::F32, Extents(out.shape())}));
  EXPECT_EQ(values(out), plain);
}

TEST(Matrix, MatmulBroadcastsBatches) {
  const auto a = counting({2, 1, 2, 2}), b = counting({3, 2, 1});
  const auto y = apply(Op::matmul, {a, b});
  EXPECT_EQ(y.shape(), (Shape{2, 3, 2, 1}));
  // Second picture [[4, 5], [6, 7]] times third column vector [4, 5].
  EXPECT_EQ(values(y)[10], 4 * 4 + 5 * 5);
  EXPECT_EQ(values(y)[11], 6 * 4 + 7 * 5);
}

/// softmax(scale q kᵀ + added) v from the other operators.
HostTensor plain_attention(const HostTensor& q, const HostTensor& k, const HostTensor& v,
                           double scale, const std::optional<HostTensor>& added) {
  const auto kt = apply(Op::permute, {k}, {{"axes", Integers{0, 1, 3, 2}}});
  auto scores =
      apply(Op::mul, {apply(Op::matmul, {q, kt}), floats({}, {static_cast<float>(scale)})});
  if (added) scores = apply(Op::add, {scores, *added});
  return apply(Op::matmul, {apply(Op::softmax, {scores}, {{"axis", int64_t{3}}}), v});
}

TEST(Matrix, SdpaIsSoftmaxOfProducts) {
  const auto q = test::random_tensor({2, 3, 4, 5}, "q"), k = test::random_tensor({2, 3, 6, 5}, "k");
  const auto v = test::random_tensor({2, 3, 6, 2}, "v");
  const auto mask = test::random_tensor({1, 3, 1, 6}, "mask");
  for (const auto& added : {std::optional<HostTensor>(), std::optional<HostTensor>(mask)}) {
    const auto expected = plain_attention(q, k, v, 0.3, added);
    const auto y = apply(Op::sdpa, {q, k, v, added}, {{"scale", 0.3}});
    for (size_t i = 0; i < expected.as<float>().size(); ++i)
      EXPECT_NEAR(y.as<float>()[i], expected.as<float>()[i], 1e-6);
  }
}

TEST(Matrix, AttentionReadsWindowsWhereTheyLie) {
  // Two pictures of 6 tokens; 2 windows of 3 tokens; 2 heads of 2 columns in rows of q, k, v.
  const auto tokens = test::random_tensor({2, 6, 12}, "tokens");
  const Integers rows = {5, 0, 3, 1, 4, 2};
  const auto bias = test::random_tensor({2, 3, 3}, "bias"),
             mask = test::random_tensor({2, 3, 3}, "m");
  const auto y = apply(Op::attention, {tokens, tokens, tokens, bias, mask, integers({2, 3}, rows)},
                       {{"heads", int64_t{2}},
                        {"head_dim", int64_t{2}},
                        {"scale", 0.7},
                        {"k_offset", int64_t{4}},
                        {"v_offset", int64_t{8}}});
  const auto cut = [&](int64_t n, int64_t g, int64_t h, int64_t first) {
    HostTensor head(DType::F32, {1, 1, 3, 2});
    for (int64_t i = 0; i < 6; ++i) {
      const int64_t row = rows[static_cast<size_t>(g * 3 + i / 2)];
      head.fill<float>()[static_cast<size_t>(i)] =
          tokens.as<float>()[static_cast<size_t>((n * 6 + row) * 12 + first + h * 2 + i % 2)];
    }
    return head;
  };
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t g = 0; g < 2; ++g)
      for (int64_t h = 0; h < 2; ++h) {
        HostTensor added(DType::F32, {1, 1, 3, 3});
        for (size_t i = 0; i < 9; ++i)
          added.fill<float>()[i] = bias.as<float>()[static_cast<size_t>(h) * 9 + i] +
                                   mask.as<float>()[static_cast<size_t>(g) * 9 + i];
        const auto expected =
            plain_attention(cut(n, g, h, 0), cut(n, g, h, 4), cut(n, g, h, 8), 0.7, added);
        for (int64_t i = 0; i < 6; ++i) {
          const int64_t row = rows[static_cast<size_t>(g * 3 + i / 2)];
          EXPECT_NEAR(y.as<float>()[static_cast<size_t>((n * 6 + row) * 4 + h * 2 + i % 2)],
                      expected.as<float>()[static_cast<size_t>(i)], 1e-6);
        }
      }
}

TEST(Spatial, ConvolutionIsPatchesTimesMatrix) {
  const auto x = test::random_tensor({2, 3, 7, 6}, "x"), w = test::random_tensor({4, 3, 3, 2}, "w");
  const NamedAttributes window = {
      {"stride", Integers{2, 1}}, {"padding", Integers{1, 0}}, {"dilation", Integers{1, 2}}};
  const auto y = apply(Op::conv2d, {x, w}, window);
  auto kernel = window;
  kernel.emplace_back("kernel", Integers{3, 2});
  const auto rows = apply(Op::patches, {x}, kernel);
  const auto matrix = HostTensor(DType::F32, {4, 18}, w.bytes(), nullptr);
  const auto product = apply(Op::linear, {rows, matrix});  // [2, positions, 4]
  const auto same = apply(Op::permute, {product}, {{"axes", Integers{0, 2, 1}}});
  EXPECT_EQ(y.shape(), (Shape{2, 4, 4, 4}));
  for (size_t i = 0; i < values(same).size(); ++i)
    EXPECT_NEAR(y.as<float>()[i], same.as<float>()[i], 1e-6);
}

TEST(Spatial, Pools) {
  const auto x = counting({1, 1, 3, 3});
  EXPECT_EQ(values(apply(Op::max_pool2d, {x}, {{"kernel", Integers{2, 2}}})),
            (std::vector<float>{4, 5, 7, 8}));
  EXPECT_EQ(values(apply(Op::avg_pool2d, {x},
                         {{"kernel", Integers{3, 3}},
                          {"stride", Integers{3, 3}},
                          {"padding", Integers{1, 1}},
                          {"count_padding", int64_t{0}}})),
            (std::vector<float>{2}));
  EXPECT_NE(refusal(Op::max_pool2d, {{DType::F32, {{1, true}, {1}, {3}, {3}}}},
                    {{"kernel", Integers{2, 4}}}),
            "");
}

}  // namespace
}  // namespace saccade::ops
