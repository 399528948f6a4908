// Traced models give what eager ones give, at any batch; what cannot be traced is an error that
// names the module.

#include "saccade/trace/trace.h"

#include <functional>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/models/registry.h"
#include "tests/trace/agree.h"

namespace saccade::trace {
namespace {

using models::Inputs, models::Outputs, torch::Tensor;

/// A module "body" whose forward is a function of the test's.
struct Body : nn::Module {
  explicit Body(std::function<Tensor(Body&, const Tensor&)> f) : function(std::move(f)) {}
  Tensor forward(const Tensor& x) { return function(*this, x); }
  std::function<Tensor(Body&, const Tensor&)> function;
  Tensor weight = nn::parameter(this, "weight", {6, 4});
};

struct TestModel : models::Model {
  explicit TestModel(std::function<Tensor(Body&, const Tensor&)> f) : body(this, "body", f) {
    const torch::NoGradGuard no_grad;
    body->weight.copy_(torch::linspace(-1, 1, 24).view({6, 4}));
  }
  Outputs forward(const Inputs& inputs) override { return {{"logits", body(inputs["images"])}}; }
  void init_weights() override {}
  int64_t layer_id(std::string_view) const override { return 0; }
  nn::Child<Body> body;
};

const TraceOptions kVectors = {.inputs = {{"images", {3, 4}}}, .outputs = {}};

std::string refusal(std::function<Tensor(Body&, const Tensor&)> f) {
  const auto model = std::make_shared<TestModel>(std::move(f));
  try {
    static_cast<void>(trace(*model, kVectors));
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::not_supported) << e.what();
    return e.what();
  }
  return "";
}

void expect_equal(std::function<Tensor(Body&, const Tensor&)> f) {
  test::expect_plan_equals_eager(*std::make_shared<TestModel>(std::move(f)), kVectors);
}

TEST(Trace, ViewsNumbersAndWritesInPlace) {
  expect_equal([](Body& m, const Tensor& x) {
    auto y = at::linear(x, m.weight).unflatten(-1, {2, 3});  // [B, 3, 2, 3]
    y = y.permute({0, 2, 1, 3}).contiguous();
    y.add_(1).mul_(0.5);
    return torch::roll(y, {1, -1}, {2, 3}).flatten(1).slice(1, 2, -1).unsqueeze(-1) - 2;
  });
  expect_equal([](Body&, const Tensor& x) {
    const auto parts = x.chunk(2, -1);
    const auto both = torch::stack({parts[0] / 3, parts[1].clamp_min(0)}, 1);
    return torch::cat({both.mean({2}), both.select(1, -1).select(1, 0).unsqueeze(1)}, 1);
  });
}

TEST(Trace, TablesOfTheBatchAreConstants) {
  expect_equal([](Body&, const Tensor& x) {
    const auto zeros = torch::zeros({x.size(0), 1, 4});
    const auto index = torch::arange(2, -1, -1);
    return torch::cat({zeros + 0.5, x.index_select(1, index)}, 1);
  });
  expect_equal([](Body&, const Tensor& x) {  // one mask for each of 3 windows of every picture
    const auto mask = torch::arange(12).to(torch::kFloat32).view({3, 1, 4});
    return x.reshape({-1, 1, 4}) + mask.repeat({x.size(0), 1, 1});
  });
}

TEST(Trace, ValuesReadOutAreRefused) {
  EXPECT_NE(refusal([](Body&, const Tensor& x) {
              return x * x.max().item<float>();
            }).find("body: reads a value out"),
            std::string::npos);
  const auto by_accessor = refusal(
      [](Body&, const Tensor& x) { return x + torch::full({4}, x.accessor<float, 3>()[0][0][0]); });
  EXPECT_NE(by_accessor.find("body"), std::string::npos);
  EXPECT_NE(by_accessor.find("changes with the input"), std::string::npos);
  const auto as_number =
      refusal([](Body&, const Tensor& x) { return x + x.accessor<float, 3>()[0][0][0]; });
  EXPECT_NE(as_number.find("body: argument"), std::string::npos) << as_number;
  EXPECT_NE(as_number.find("changes with the input"), std::string::npos);
}

TEST(Trace, ConstantsThatDependOnTheDataAreRefused) {
  const auto mask = refusal([](Body&, const Tensor& x) {  // as numpy would make it
    const auto host = torch::empty({4});
    const float first = *x.const_data_ptr<float>();
    return x * host.fill_(first > 0 ? 1.0 + first : first);
  });
  EXPECT_NE(mask.find("body: a constant changes with the input"), std::string::npos) << mask;
}

TEST(Trace, SizesThatAreNoMultipleOfTheBatchAreRefused) {
  const auto square = refusal([](Body&, const Tensor& x) {
    return torch::cat({x.flatten(), torch::zeros({x.size(0) * x.size(0)})});
  });
  EXPECT_NE(square.find("body: a size (4, 9, 25) changes with the input"), std::string::npos)
      << square;
}

TEST(Trace, OtherPathsAreRefused) {
  const auto branch =
      refusal([](Body&, const Tensor& x) { return x.size(0) == 3 ? at::relu(x) : at::tanh(x); });
  EXPECT_NE(branch.find("body: the sequence of operators changes"), std::string::npos);
}

TEST(Trace, WritesThroughViewsAreRefused) {
  const auto message = refusal([](Body&, const Tensor& x) {
    auto y = x * 2;
    y.select(1, 0).fill_(0);
    return y;
  });
  EXPECT_NE(message.find("body"), std::string::npos);
  EXPECT_NE(message.find("view"), std::string::npos);
  const auto fresh = refusal([](Body&, const Tensor& x) {
    auto y = torch::zeros({x.size(0), 4, 4});
    y.slice(1, 0, 3).copy_(x);
    return y;
  });
  EXPECT_NE(fresh.find("body"), std::string::npos);
}

TEST(Trace, UnknownOperatorsAreNamed) {
  const auto message = refusal([](Body&, const Tensor& x) { return at::cumsum(x, 1); });
  EXPECT_NE(message.find("body: aten::cumsum"), std::string::npos);
}

TEST(Trace, PicturesMayNotMix) {
  EXPECT_NE(refusal([](Body&, const Tensor& x) { return x.select(0, 0).unsqueeze(0); }), "");
  EXPECT_NE(refusal([](Body&, const Tensor& x) { return x - x.mean(0, true); }), "");
}

TEST(Trace, VisionTransformers) {
  for (const std::string pool : {"token", "avg"}) {
    torch::manual_seed(3);
    const auto model = models::build("vit", {{"img_size", 32},
                                             {"patch_size", 8},
                                             {"embed_dim", 24},
                                             {"depth", 2},
                                             {"num_heads", 3},
                                             {"num_classes", 7},
                                             {"global_pool", pool}});
    model->init_weights();
    test::expect_plan_equals_eager(*model,
                                   {.inputs = {{"images", {3, 32, 32}}}, .outputs = {"logits"}});
  }
}

}  // namespace
}  // namespace saccade::trace
