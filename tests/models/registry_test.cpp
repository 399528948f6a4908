// Generated from the catalogue: every system and preset gets these tests by being listed.

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "saccade/base/error.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/load.h"
#include "saccade/models/registry.h"
#include "saccade/nn/host.h"

namespace saccade::models {
namespace {

std::vector<const Preset*> all_presets() {
  std::vector<const Preset*> out;
  for (const auto& system : systems())
    for (const auto& preset : system.presets) out.push_back(&preset);
  return out;
}

std::string test_name(const ::testing::TestParamInfo<const Preset*>& info) {
  return info.param->name;
}

int64_t count(const Model& model) {
  const auto parameters = model.parameters();
  return std::accumulate(parameters.begin(), parameters.end(), int64_t{0},
                         [](int64_t sum, const auto& p) { return sum + p.numel(); });
}

/// What makes each system small enough to run; its other options stay the preset's.
const Json& small_sizes(const std::string& system) {
  static const Json plain_vit = {
      {"patch_size", 8}, {"embed_dim", 24}, {"depth", 2}, {"num_heads", 3}};
  static const Json windows = {{"patch_size", 4},
                               {"embed_dim", 24},
                               {"depths", {2, 2}},
                               {"num_heads", {2, 3}},
                               {"window_size", 4}};
  static const Json table = {
      // sorted
      {"deit", plain_vit}, {"mixer", {{"patch_size", 8}, {"embed_dim", 24}, {"num_blocks", 2}}},
      {"swin", windows},   {"swinv2", windows},
      {"vit", plain_vit},
  };
  return table.at(system);
}

/// The same system, small enough to run: fewer and narrower blocks, the same options.
Json small(const Preset& preset) {
  Json config = preset.config;
  config.update(small_sizes(preset.system));
  config.update({{"img_size", 32}, {"num_classes", 5}});
  return config;
}

torch::Tensor pictures(int64_t batch) {
  torch::manual_seed(11);
  return torch::randn({batch, 3, 32, 32});
}

Json doubled(Json config) {
  config["img_size"] = 64;
  return config;
}

std::vector<Shape> shapes(const std::string& system, const Json& config) {
  std::vector<Shape> out;
  for (const auto& [name, tensor] : nn::named_state(*build(system, config, torch::kMeta)))
    out.push_back(nn::shape_of(tensor));
  return out;
}

/// Those whose weights belong to one picture size.
std::vector<const Preset*> presets_of_one_size() {
  auto out = all_presets();
  std::erase_if(out, [](const Preset* preset) {
    const auto config = small(*preset);
    return shapes(preset->system, config) == shapes(preset->system, doubled(config));
  });
  return out;
}

class EveryPreset : public ::testing::TestWithParam<const Preset*> {
 protected:
  const Preset& preset = *GetParam();
  const System& system = find_system(preset.system);
};

class PresetOfOneSize : public EveryPreset {};

TEST_P(EveryPreset, CostsCountTheParametersOfTheModel) {
  const auto costs = system.costs(preset.config);
  EXPECT_EQ(costs.front().path, "");
  EXPECT_EQ(costs.front().params, count(*build(system.name, preset.config, torch::kMeta)));
  EXPECT_GT(costs.front().macs, 0);
}

TEST_P(EveryPreset, CostsNameModulesThatExist) {
  const auto model = build(system.name, preset.config, torch::kMeta);
  for (const auto& row : system.costs(preset.config)) {
    int64_t params = 0;
    for (const auto& item : model->named_parameters())
      if (row.path.empty() || item.key().starts_with(row.path + "."))
        params += item.value().numel();
    EXPECT_EQ(params, row.params) << row.path;
  }
}

TEST_P(EveryPreset, CompletingAConfigurationTwiceChangesNothing) {
  EXPECT_EQ(system.complete(preset.config, "preset"), preset.config);
}

TEST_P(EveryPreset, IsFoundByEveryNameItIsPublishedUnder) {
  EXPECT_EQ(find_preset(preset.name), &preset);
  for (const auto& alias : preset.aliases) {
    const auto* found = find_preset(alias);
    ASSERT_NE(found, nullptr) << alias;
    EXPECT_EQ(found->config.at("embed_dim"), preset.config.at("embed_dim"));
  }
}

TEST_P(EveryPreset, TrainsAStepWithFiniteGradients) {
  auto config = small(preset);
  config.update({{"drop_path_rate", 0.1}, {"drop_rate", 0.1}});
  const auto model = build(system.name, config);
  model->init_weights();
  model->train();
  model->forward({{"images", pictures(4)}})["logits"].logsumexp(1).sum().backward();
  for (const auto& item : model->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(torch::isfinite(item.value().grad()).all().item<bool>()) << item.key();
  }
}

TEST_P(EveryPreset, LayerIdsRunFromTheStemToTheHead) {
  const auto model = build(system.name, preset.config, torch::kMeta);
  std::set<int64_t> ids;
  for (const auto& item : model->named_parameters()) ids.insert(model->layer_id(item.key()));
  EXPECT_EQ(*ids.begin(), 0);
  EXPECT_EQ(*ids.rbegin(), std::ssize(ids) - 1);  // no number is left out
  EXPECT_EQ(model->layer_id("head.weight"), *ids.rbegin());
}

TEST_P(EveryPreset, EveryDialectComesBackToTheSameTensors) {
  const auto config = small(preset);
  const auto model = build(system.name, config);
  fill_by_formula(*model);
  const auto state = nn::state_dict(*model);
  for (const auto& dialect : system.dialects(config)) {
    const auto theirs = checkpoint::from_official(dialect, with_derived(state, *model, dialect));
    std::string recognised;
    const auto back = translate(system.dialects(config), theirs, "test", &recognised);
    EXPECT_EQ(recognised, dialect.name);
    const auto other = build(system.name, config);
    load_state(*other, back, "test");
    for (const auto& [name, tensor] : nn::named_state(*other))
      EXPECT_TRUE(torch::equal(tensor, nn::to_torch(*find(state, name)))) << dialect.name << name;
  }
}

TEST_P(EveryPreset, SamplesOfABatchDoNotDependOnEachOther) {
  const auto model = build(system.name, small(preset));
  fill_by_formula(*model);
  model->eval();
  const torch::NoGradGuard no_grad;
  const auto images = pictures(3);
  const auto together = model->forward({{"images", images}})["logits"];
  const auto alone = model->forward({{"images", images.slice(0, 1, 2)}})["logits"];
  EXPECT_EQ(nn::shape_of(together), (Shape{3, 5}));
  EXPECT_TRUE(torch::allclose(together.slice(0, 1, 2), alone, 1e-5, 1e-6));
}

TEST_P(PresetOfOneSize, AnotherPictureSizeIsAnErrorThatNamesBoth) {
  const auto model = build(system.name, small(preset));
  fill_by_formula(*model);
  model->eval();
  try {
    model->forward({{"images", torch::zeros({1, 3, 40, 32})}});
    FAIL() << "40 x 32 was accepted";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    EXPECT_NE(text.find("40, 32"), text.npos) << text;
    EXPECT_NE(text.find("32, 32"), text.npos) << text;
  }
}

TEST_P(PresetOfOneSize, WeightsOfAnotherPictureSizeAreRefusedWithTheReason) {
  const auto config = small(preset);
  const auto other = build(system.name, doubled(config));
  fill_by_formula(*other);
  const auto model = build(system.name, config);
  try {
    load_state(*model, nn::state_dict(*other), "other.safetensors");
    FAIL() << "weights for 64 pixels were loaded for 32";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    EXPECT_NE(text.find("other.safetensors"), text.npos) << text;
    EXPECT_NE(text.find("weights for 64"), text.npos) << text;  // 8 x 8 patches
    EXPECT_NE(text.find("img_size"), text.npos) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, EveryPreset, ::testing::ValuesIn(all_presets()), test_name);
INSTANTIATE_TEST_SUITE_P(Zoo, PresetOfOneSize, ::testing::ValuesIn(presets_of_one_size()),
                         test_name);

}  // namespace
}  // namespace saccade::models
