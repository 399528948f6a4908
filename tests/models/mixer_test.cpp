// What is the Mixer's own beside the tests that every system gets.

#include <gtest/gtest.h>

#include <cmath>

#include "saccade/base/error.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/load.h"
#include "saccade/models/open.h"
#include "saccade/models/registry.h"
#include "saccade/nn/host.h"

namespace saccade::models {
namespace {

const Json kSmall = {{"img_size", {24, 40}},
                     {"patch_size", 8},
                     {"embed_dim", 64},
                     {"num_blocks", 2},
                     {"num_classes", 6}};

Json with(const Json& change) {
  Json config = kSmall;
  config.update(change);
  return config;
}

torch::Tensor parameter(const Model& model, const std::string& name) {
  return *model.named_parameters().find(name);
}

std::shared_ptr<Model> fresh(const Json& config) {
  torch::manual_seed(3);
  auto model = build("mixer", config);
  model->init_weights();
  model->eval();
  return model;
}

Outputs answers(Model& model) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(5);
  return model.forward({{"images", torch::randn({2, 3, 24, 40})}});
}

TEST(Mixer, AFreshModelAnswersWithExactZeros) {
  const auto out = answers(*fresh(kSmall));
  EXPECT_EQ(out["logits"].abs().max().item<float>(), 0.0f);
  EXPECT_GT(out["features"].abs().max().item<float>(), 0.0f);
}

TEST(Mixer, NlhbStartsTheHeadAtMinusTheLogarithmOfTheClasses) {
  const auto logits = answers(*fresh(with({{"nlhb", true}})))["logits"];
  EXPECT_TRUE(torch::allclose(logits, torch::full({2, 6}, -std::log(6.0))));
}

TEST(Mixer, InitialWeightsHaveTheReferencesSpread) {
  const auto model = fresh(kSmall);
  // Xavier uniform for [hidden 32, tokens 15]: bound sqrt(6 / 47), deviation bound / sqrt(3).
  const auto tokens = parameter(*model, "blocks.1.mlp_tokens.fc1.weight");
  EXPECT_LE(tokens.abs().max().item<double>(), std::sqrt(6.0 / 47));
  EXPECT_NEAR(tokens.std().item<double>(), std::sqrt(2.0 / 47), 0.02);
  // LeCun normal for 3 x 8 x 8 inputs: deviation 1 / sqrt(192), cut at about 2.27 of them.
  const auto stem = parameter(*model, "stem.proj.weight");
  EXPECT_NEAR(stem.std().item<double>(), std::sqrt(1.0 / 192), 0.002);
  EXPECT_LE(stem.abs().max().item<double>(), 2.0 / 0.8796 * std::sqrt(1.0 / 192));
  EXPECT_EQ(parameter(*model, "stem.proj.bias").abs().max().item<float>(), 0.0f);
  const auto bias = parameter(*model, "blocks.0.mlp_channels.fc1.bias");
  EXPECT_NEAR(bias.std().item<double>(), 1e-6, 3e-7);
  EXPECT_TRUE(torch::equal(parameter(*model, "norm.weight"), torch::ones({64})));
}

TEST(Mixer, WithoutPoolEveryTokenHasAnAnswer) {
  const auto pooled = fresh(kSmall), apart = fresh(with({{"global_pool", ""}}));
  const auto mean = answers(*pooled)["features"], each = answers(*apart)["features"];
  EXPECT_EQ(nn::shape_of(each), (Shape{2, 15, 64}));
  EXPECT_EQ(nn::shape_of(answers(*apart)["logits"]), (Shape{2, 15, 6}));
  EXPECT_TRUE(torch::allclose(each.mean(1), mean, 1e-5, 1e-6));
}

TEST(Mixer, OneRatioHoldsForBothMlps) {
  const auto model = build("mixer", with({{"mlp_ratio", 1.5}}), torch::kMeta);
  EXPECT_EQ(nn::shape_of(parameter(*model, "blocks.0.mlp_tokens.fc1.weight")), (Shape{96, 15}));
  EXPECT_EQ(nn::shape_of(parameter(*model, "blocks.0.mlp_channels.fc1.weight")), (Shape{96, 64}));
}

TEST(Mixer, GoogleFilesMayLieBelowTheirOptimiser) {
  const auto model = build("mixer", kSmall);
  fill_by_formula(*model);
  const auto dialects = find_system("mixer").dialects(kSmall);
  auto theirs = checkpoint::from_official(dialects.front(), nn::state_dict(*model));
  EXPECT_NE(find(theirs, "MixerBlock_1/token_mixing/Dense_0/kernel"), nullptr);
  for (auto& [name, tensor] : theirs) name = "opt/target/" + name;
  std::string dialect;
  const auto state = translate(dialects, theirs, "test", &dialect);
  EXPECT_EQ(dialect, "jax-npz");
  load_state(*build("mixer", kSmall), state, "test");
}

TEST(Mixer, AnotherShapeWithAsManyPatchesTakesTheSameWeights) {
  const auto model = build("mixer", kSmall),
             turned = build("mixer", with({{"img_size", {40, 24}}}));
  fill_by_formula(*model);
  EXPECT_EQ(turned->adapt(nn::state_dict(*model), {.procedure = "timm"}).size(),
            nn::named_state(*model).size());
  const auto larger = build("mixer", with({{"img_size", 48}}));
  EXPECT_THROW((void)larger->adapt(nn::state_dict(*model), {.procedure = "timm"}), Error);
}

TEST(Mixer, MultiplyAddsAreThePublishedOnes) {
  // GMACs of timm's model cards.
  const std::pair<const char*, double> cards[] = {{"mixer_b16_224", 12.6}, {"mixer_l16_224", 44.6}};
  for (const auto& [name, gmacs] : cards) {
    const auto whole = find_system("mixer").costs(find_preset(name)->config).front();
    EXPECT_NEAR(static_cast<double>(whole.macs) / 1e9, gmacs, 0.01 * gmacs) << name;
  }
}

struct BadConfig {
  Json change;
  ErrorKind kind;
  const char* says;
};

TEST(Mixer, ImpossibleConfigurationsAreNamed) {
  const BadConfig cases[] = {
      {{{"mlp_ratio", 0.001}}, ErrorKind::bad_input, "mlp_ratio"},
      {{{"mlp_ratio", {0.5}}}, ErrorKind::bad_input, "mlp_ratio"},
      {{{"mlp_ratio", {0.5, "4"}}}, ErrorKind::bad_input, "mlp_ratio"},
      {{{"num_blocks", 0}}, ErrorKind::bad_input, "num_blocks"},
      {{{"patch_size", 48}}, ErrorKind::bad_input, "patch_size"},
      {{{"depth", 3}}, ErrorKind::bad_input, "unknown key \"depth\""},
      {{{"global_pool", "max"}}, ErrorKind::not_supported, "global_pool"},
      {{{"block_layer", "ResBlock"}}, ErrorKind::not_supported, "block_layer"},
      {{{"mlp_layer", "GluMlp"}}, ErrorKind::not_supported, "mlp_layer"},
  };
  for (const auto& bad : cases) try {
      (void)find_system("mixer").complete(with(bad.change), "case.json");
      ADD_FAILURE() << bad.change << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), bad.kind) << error.what();
      EXPECT_NE(std::string(error.what()).find(bad.says), std::string::npos) << error.what();
    }
}

TEST(Mixer, RandomWeightsGiveAnswersToCompare) {
  // Training begins with a head of zeros; a model opened without weights must not.
  const auto opened = open("mixer_s32_224", {.needs_weights = false});
  ASSERT_TRUE(opened.random_weights);
  const torch::NoGradGuard no_grad;
  const auto logits = opened.model->forward({{"images", torch::randn({1, 3, 224, 224})}})["logits"];
  EXPECT_GT(logits.std().item<float>(), 0.01);
}

}  // namespace
}  // namespace saccade::models
