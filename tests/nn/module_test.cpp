#include "saccade/nn/module.h"

#include <gtest/gtest.h>

#include "saccade/nn/host.h"
#include "saccade/nn/init.h"
#include "saccade/nn/transformer_block.h"

namespace saccade::nn {
namespace {

struct Pair : Module {
  Tensor forward(const Tensor& x) { return second(first(x)); }
  Child<Linear> first{this, "head.first", 3, 4};  // a dotted name makes a holder
  Child<Linear> second{this, "head.second", 4, 2, false};
  Child<Linear> absent{when(false), this, "absent", 3, 3};
};

std::vector<std::string> names(const Module& module) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : named_state(module)) out.push_back(name);
  return out;
}

TEST(Module, DottedNamesAndAbsentPartsGiveTheCheckpointsKeys) {
  const auto pair = std::make_shared<Pair>();
  EXPECT_EQ(names(*pair), (std::vector<std::string>{"head.first.weight", "head.first.bias",
                                                    "head.second.weight"}));
  EXPECT_FALSE(pair->absent);
}

TEST(Module, ObserverHearsPathsAndOutputsOnlyWithinItsScope) {
  const auto pair = std::make_shared<Pair>();
  init_transformer(*pair);
  std::vector<std::string> heard;
  {
    const ObserverScope scope([&](const std::string& path, const Tensor& out) {
      heard.push_back(path + to_string(shape_of(out)));
    });
    (void)pair->forward(torch::ones({2, 3}));
  }
  (void)pair->forward(torch::ones({2, 3}));
  EXPECT_EQ(heard, (std::vector<std::string>{"head.first[2, 4]", "head.second[2, 2]"}));
  EXPECT_EQ(current_path(), "");
}

TEST(Module, PathIsRestoredWhenAModuleThrows) {
  const auto pair = std::make_shared<Pair>();
  EXPECT_THROW((void)pair->first(torch::ones({2, 5})), c10::Error);
  EXPECT_EQ(current_path(), "");
}

TEST(Module, ASharedModuleIsCountedOnce) {
  struct Shared : Module {
    Child<Linear> a{this, "a", 2, 2};
    Child<Linear> b{this, "b", std::shared_ptr<Linear>(&*a, [](Linear*) {})};
  };
  const auto shared = std::make_shared<Shared>();
  EXPECT_EQ(names(*shared), (std::vector<std::string>{"a.weight", "a.bias"}));
}

TEST(Module, MetaScopeTakesNoMemory) {
  const DeviceScope scope(torch::kMeta);
  const auto layer = std::make_shared<Linear>(1 << 20, 1 << 20);
  EXPECT_TRUE(layer->weight.is_meta());
}

TEST(Attention, FusedAndObservedFormsAgree) {
  torch::manual_seed(1);
  const auto attention = std::make_shared<Attention>(AttentionOptions{.dim = 24, .num_heads = 3});
  init_transformer(*attention);
  attention->eval();
  const auto x = torch::randn({2, 7, 24});
  const auto fused = attention->forward(x);
  Tensor weights;
  const ObserverScope scope([&](const std::string& path, const Tensor& out) {
    if (path == "attn_drop") weights = out;
  });
  EXPECT_TRUE(torch::allclose(fused, attention->forward(x), 1e-5, 1e-6));
  ASSERT_EQ(shape_of(weights), (Shape{2, 3, 7, 7}));
  EXPECT_TRUE(torch::allclose(weights.sum(-1), torch::ones({2, 3, 7})));
}

TEST(DropPath, KeepsOrDropsWholeSamplesAndScales) {
  torch::manual_seed(3);
  DropPath drop(0.25);
  const auto y = drop.forward(torch::ones({4000, 3}));
  const auto rows = y.select(1, 0);
  EXPECT_TRUE(torch::equal(y, rows.unsqueeze(1).expand({-1, 3})));
  EXPECT_TRUE(torch::all((rows == 0).logical_or(torch::isclose(rows, torch::tensor(4.0f / 3))))
                  .item<bool>());
  EXPECT_NEAR(y.mean().item<double>(), 1.0, 0.05);
  drop.eval();
  EXPECT_TRUE(torch::equal(drop.forward(y), y));
}

TEST(DropPath, RatesGrowLinearlyWithDepth) {
  EXPECT_EQ(drop_path_rate(0.2, 0, 5), 0.0);
  EXPECT_FLOAT_EQ(static_cast<float>(drop_path_rate(0.2, 4, 5)), 0.2f);
  EXPECT_NEAR(drop_path_rate(0.2, 1, 5), 0.05, 1e-7);
}

TEST(Host, TensorsTravelBothWaysUnchanged) {
  for (const auto type : {torch::kFloat32, torch::kBFloat16, torch::kInt64, torch::kBool}) {
    const auto tensor = torch::arange(6).reshape({2, 3}).to(type).t();  // not contiguous
    EXPECT_TRUE(torch::equal(to_torch(to_host(tensor)), tensor)) << type;
  }
}

}  // namespace
}  // namespace saccade::nn
