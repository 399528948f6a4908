#include "saccade/train/optim/optimizer.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade::train {
namespace {

std::vector<ParamGroup> two_parameters() {
  ParamGroup group;
  group.names = {"used", "unused"};
  group.params = {torch::ones({3}).requires_grad_(), torch::ones({2}).requires_grad_()};
  group.weight_decay = 0.1;
  return {group};
}

void set_gradient(const Optimizer& optimizer, size_t index, double value) {
  auto param = optimizer.params()[index];
  param.mutable_grad() = torch::full_like(param.detach(), value);
}

TEST(Optimizer, LeavesParametersWithoutGradientAlone) {
  for (const char* name : {"adam", "adamw", "sgd", "lamb", "lion"}) {
    const auto optimizer = make_optimizer({.name = name, .momentum = 0.9}, two_parameters());
    set_gradient(*optimizer, 0, 1.0);
    optimizer->step({0.1});
    EXPECT_FALSE(optimizer->params()[0].equal(torch::ones({3}))) << name;
    EXPECT_TRUE(optimizer->params()[1].equal(torch::ones({2}))) << name;
    EXPECT_EQ(optimizer->steps().dump(), "[[1,0]]") << name;
  }
}

TEST(Optimizer, AParameterThatJoinsLateStartsAtItsOwnFirstStep) {
  const auto late = make_optimizer({}, two_parameters());
  const auto fresh = make_optimizer({}, two_parameters());
  set_gradient(*late, 0, 1.0);
  late->step({0.1});
  set_gradient(*late, 1, 0.5);
  late->step({0.1});
  set_gradient(*fresh, 1, 0.5);
  fresh->step({0.1});
  EXPECT_TRUE(late->params()[1].equal(fresh->params()[1]));
}

TEST(Optimizer, StateAndStepsContinueARun) {
  const auto run = [](Optimizer& optimizer, int from, int to) {
    for (int i = from; i < to; ++i) {
      set_gradient(optimizer, 0, 0.3 * i - 1.0);
      set_gradient(optimizer, 1, 1.0 / (i + 1));
      optimizer.step({0.05});
    }
  };
  for (const char* name : {"adam", "adamw", "sgd", "lamb", "lion"}) {
    const OptimizerConfig config{.name = name, .amsgrad = true, .momentum = 0.9};
    const auto whole = make_optimizer(config, two_parameters());
    run(*whole, 0, 6);
    const auto first = make_optimizer(config, two_parameters());
    run(*first, 0, 3);
    const auto second = make_optimizer(config, two_parameters());
    const torch::NoGradGuard no_grad;
    for (size_t i = 0; i < 2; ++i) second->params()[i].copy_(first->params()[i]);
    const auto from = first->state();
    auto to = second->state();
    ASSERT_EQ(from.size(), to.size());
    for (size_t i = 0; i < to.size(); ++i) {
      EXPECT_EQ(to[i].first, from[i].first);
      to[i].second.copy_(from[i].second);
    }
    second->set_steps(first->steps(), "file");
    run(*second, 3, 6);
    for (size_t i = 0; i < 2; ++i)
      EXPECT_TRUE(second->params()[i].equal(whole->params()[i])) << name;
  }
}

TEST(Optimizer, RefusesStepsThatDoNotFit) {
  const auto optimizer = make_optimizer({}, two_parameters());
  for (const char* steps : {"[]", "[[1]]", "[[1,-1]]", "[[1,\"2\"]]", "null", "[[1,2],[3]]"})
    EXPECT_THROW(optimizer->set_steps(Json::parse(steps), "file"), Error) << steps;
}

TEST(Optimizer, UnknownNameIsAUsageError) {
  EXPECT_THROW(make_optimizer({.name = "adamx"}, {}), Error);
}

struct Shared : torch::nn::Module {
  Shared() {
    register_parameter("a", weight);
    register_parameter("tied", weight);
    register_parameter("pos_embed", torch::zeros({1, 2, 3}));
    register_parameter("norm_bias", torch::zeros({3}));
    register_buffer("running", torch::zeros({3}));
  }
  torch::Tensor weight = torch::zeros({2, 2});
};

TEST(ParamGroups, ATensorThatIsRegisteredTwiceComesOnce) {
  const Shared module;
  const auto parameters = unique_parameters(module);
  ASSERT_EQ(parameters.size(), 3u);
  EXPECT_EQ(parameters[0].first, "a");
  EXPECT_EQ(unique_state(module).size(), 4u);
}

TEST(ParamGroups, NoDecayListTakesWildcards) {
  const Shared module;
  const auto groups = weight_decay_groups(unique_parameters(module), 0.1, {"pos_*"});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].names, (std::vector<std::string>{"pos_embed", "norm_bias"}));
  EXPECT_EQ(groups[0].weight_decay, 0.0);
  EXPECT_EQ(groups[1].names, (std::vector<std::string>{"a"}));
  EXPECT_EQ(groups[1].weight_decay, 0.1);
}

}  // namespace
}  // namespace saccade::train
