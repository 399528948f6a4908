// What the golden cases of Swin v1 and v2 do not show: window rules on other images, refusals,
// derived tensors, initial weights.

#include <gtest/gtest.h>

#include <cmath>

#include "saccade/base/error.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/load.h"
#include "saccade/models/registry.h"
#include "saccade/models/swin_family.h"
#include "saccade/nn/host.h"

namespace saccade::models {
namespace {

/// Two stages with maps of 8x8 and 4x4.
Json small(std::string_view rule = "official") {
  return {{"img_size", 32},   {"patch_size", 4},     {"num_classes", 5}, {"embed_dim", 8},
          {"depths", {2, 2}}, {"num_heads", {2, 4}}, {"window_size", 4}, {"drop_path_rate", 0.0},
          {"mlp_ratio", 2},   {"window_rule", rule}};
}

Json with(Json config, const Json& changes) {
  config.update(changes);
  return config;
}

std::shared_ptr<Model> made(const std::string& system, const Json& config) {
  auto model = build(system, config);
  fill_by_formula(*model);
  model->eval();
  return model;
}

torch::Tensor logits(Model& model, int64_t height, int64_t width) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  return model.forward({{"images", torch::randn({2, 3, height, width})}})["logits"];
}

/// What an action is refused with, and by which kind of error.
template <class Action>
std::string refusal(Action action, ErrorKind kind = ErrorKind::bad_input) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), kind) << e.what();
    return e.what();
  }
  return "";
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class Swin : public ::testing::TestWithParam<const char*> {
 protected:
  const std::string system = GetParam();
};

TEST_P(Swin, OfficialRuleRefusesWhatDoesNotDivideAndSaysWhatToDo) {
  const auto config = with(small(), {{"img_size", 40}});  // a map of 10
  const auto said = refusal([&] { (void)build(system, config); });
  EXPECT_TRUE(says(said, "\"img_size\" 40x40") && says(said, "windows of 4x4 do not divide"))
      << said;
  EXPECT_TRUE(says(said, "\"window_rule\" to \"timm\" or \"huggingface\"")) << said;
  const auto model = made(system, small());
  EXPECT_TRUE(says(refusal([&] { (void)logits(*model, 40, 32); }), "do not divide"));
  const auto odd = with(small(), {{"img_size", 28}, {"window_size", 7}});  // a map of 7
  EXPECT_TRUE(says(refusal([&] { (void)build(system, odd); }), "odd side"));
}

TEST_P(Swin, OtherImagesRunWhereTheRuleAllows) {
  const auto official = made(system, small());
  EXPECT_EQ(nn::shape_of(logits(*official, 64, 32)), (Shape{2, 5}));
  const auto timm = made(system, small("timm"));
  EXPECT_EQ(nn::shape_of(logits(*timm, 44, 61)), (Shape{2, 5}));
  const auto hub = made(system, small("huggingface"));
  EXPECT_EQ(nn::shape_of(logits(*hub, 43, 61)), (Shape{2, 5}));
  // Where nothing is padded or clamped the rules are one.
  EXPECT_TRUE(torch::allclose(logits(*official, 32, 32), logits(*timm, 32, 32), 1e-5, 1e-6));
}

TEST_P(Swin, AMapBelowTheTablesWindowIsRefusedByTheOfficialRule) {
  const auto model = made(system, small());
  const auto said = refusal([&] { (void)logits(*model, 16, 16); });
  EXPECT_TRUE(says(said, "the tables are made for 4x4") && says(said, "convert")) << said;
}

TEST_P(Swin, ImagesOfAnotherShapeAreRefused) {
  const auto model = made(system, small());
  const torch::NoGradGuard no_grad;
  EXPECT_NE(refusal([&] { (void)model->forward({{"images", torch::zeros({1, 4, 32, 32})}}); }), "");
  EXPECT_NE(refusal([&] { (void)model->forward({{"images", torch::zeros({1, 3, 3, 32})}}); }), "");
  EXPECT_NE(refusal([&] { (void)model->forward({{"images", torch::zeros({3, 32, 32})}}); }), "");
}

TEST_P(Swin, AbsolutePositionsBelongToOneSizeAndToTheOfficialNames) {
  const auto config = with(small(), {{"ape", true}});
  const auto model = made(system, config);
  EXPECT_TRUE(says(refusal([&] { (void)logits(*model, 64, 64); }), "--img-size"));
  const auto dialects = find_system(system).dialects(config);
  ASSERT_EQ(dialects.size(), 1U);
  EXPECT_EQ(dialects[0].name, "official");
}

TEST_P(Swin, OfficialFilesHoldDerivedTensorsThatAreCompared) {
  const auto config = small();
  const auto model = made(system, config);
  const auto state = nn::state_dict(*model);
  const auto official = with_derived(state, *model, find_system(system).dialects(config)[0]);
  EXPECT_EQ(official.size(), state.size() + model->derived().size());
  EXPECT_NE(find(official, "layers.0.blocks.1.attn_mask"), nullptr);
  EXPECT_EQ(find(official, "layers.1.blocks.1.attn_mask"), nullptr) << "one window, no shift";
  load_state(*model, official, "test");
  auto wrong = official;
  for (auto& [name, tensor] : wrong)
    if (name == "layers.0.blocks.1.attn_mask") tensor = HostTensor(DType::F32, tensor.shape());
  EXPECT_TRUE(says(refusal([&] { load_state(*model, wrong, "test"); }), "attn_mask"));
}

TEST_P(Swin, AnotherWindowIsRefusedWithoutATransfer) {
  const auto source = made(system, small());
  const auto larger = with(small(), {{"img_size", 64}, {"window_size", 8}});
  const auto target = build(system, larger);
  const auto dialect = find_system(system).dialects(larger)[0];
  const auto theirs = with_derived(nn::state_dict(*source), *source, dialect);
  const auto said = refusal([&] { load_state(*target, theirs, "file"); });
  EXPECT_TRUE(says(said, "--window-size")) << said;
  load_state(*target, target->adapt(theirs, {.procedure = "official"}), "file");
  load_state(*target, target->adapt(theirs, {.procedure = "timm"}), "file");
  (void)refusal([&] { (void)target->adapt(theirs, {.procedure = "deit"}); },
                ErrorKind::not_supported);
}

TEST_P(Swin, TheOfficialTransferZeroesAHeadOfOtherClasses) {
  const auto source = made(system, small());
  const auto target = build(system, with(small(), {{"num_classes", 7}}));
  const auto state = target->adapt(nn::state_dict(*source), {.procedure = "official"});
  load_state(*target, state, "test");
  EXPECT_EQ(logits(*target, 32, 32).abs().sum().item<float>(), 0);
}

TEST_P(Swin, AFileOfTwoConventionsIsRefused) {
  const auto config = small();
  const auto& about = find_system(system);
  const auto state = nn::state_dict(*made(system, config));
  const auto dialects = about.dialects(config);
  for (const auto& dialect : dialects) {
    if (dialect.evidence.empty()) continue;
    auto mixed = checkpoint::from_official(dialect, state);
    for (auto& [name, tensor] : mixed)
      if (name.starts_with("head.fc.") || name.starts_with("classifier."))
        name = "head." + name.substr(name.rfind('.') + 1);
    EXPECT_TRUE(says(refusal([&] { (void)translate(dialects, mixed, "file"); }), "two conventions"))
        << dialect.name;
  }
  auto official = state;
  for (auto& [name, tensor] : official)
    if (name.starts_with("head.")) name = "head.fc." + name.substr(5);
  EXPECT_TRUE(says(refusal([&] { (void)translate(dialects, official, "file"); }), "head.fc."));
}

TEST_P(Swin, NoDecayNamesEveryTableAndNothingElse) {
  const auto model = build(system, with(small(), {{"ape", true}}));
  const auto names = model->no_weight_decay();
  const size_t per_block = system == "swin" ? 1 : 4;  // logit_scale and three of cpb_mlp
  EXPECT_EQ(names.size(), 1 + 4 * per_block);
  EXPECT_EQ(names.front(), "absolute_pos_embed");
}

TEST_P(Swin, LayerIdsCountBlocksAndGiveMergingToTheNextStage) {
  const auto model = build(system, small(), torch::kMeta);
  EXPECT_EQ(model->layer_id("patch_embed.norm.weight"), 0);
  EXPECT_EQ(model->layer_id("layers.0.blocks.1.norm1.weight"), 2);
  EXPECT_EQ(model->layer_id("layers.0.downsample.norm.weight"), 3);
  EXPECT_EQ(model->layer_id("layers.1.blocks.0.norm1.weight"), 3);
  EXPECT_EQ(model->layer_id("norm.weight"), 4);
  EXPECT_EQ(model->layer_id("head.bias"), 5);
}

INSTANTIATE_TEST_SUITE_P(Zoo, Swin, ::testing::Values("swin", "swinv2"));

TEST(SwinInit, DrawsTablesLikeLinearLayers) {
  torch::manual_seed(0);
  const auto model = build("swin", with(small(), {{"embed_dim", 64}, {"num_heads", {32, 32}}}));
  model->init_weights();
  const auto parameters = model->named_parameters();
  for (const char* name :
       {"layers.0.blocks.0.attn.relative_position_bias_table", "layers.0.blocks.0.mlp.fc1.weight"})
    EXPECT_NEAR(parameters[name].std().item<float>(), 0.02, 0.002) << name;
  EXPECT_TRUE(parameters["layers.0.blocks.0.norm1.weight"].eq(1).all().item<bool>());
}

TEST(SwinInit, V2StartsEveryBlockAsTheIdentity) {
  torch::manual_seed(0);
  const auto model = build("swinv2", small());
  model->init_weights();
  const auto parameters = model->named_parameters();
  for (const char* name : {"layers.1.blocks.1.norm1.weight", "layers.0.blocks.0.norm2.weight",
                           "layers.0.blocks.0.attn.q_bias", "layers.0.blocks.0.attn.v_bias"})
    EXPECT_TRUE(parameters[name].eq(0).all().item<bool>()) << name;
  EXPECT_TRUE(parameters["norm.weight"].eq(1).all().item<bool>());
  EXPECT_TRUE(parameters["layers.0.downsample.norm.weight"].eq(1).all().item<bool>());
  EXPECT_NEAR(parameters["layers.0.blocks.0.attn.logit_scale"].mean().item<float>(), std::log(10.0),
              1e-6);
}

TEST(SwinConfigs, TheDialectSettlesTheWindowRuleOnlyWhereItIsOpen) {
  for (const auto* system : {"swin", "swinv2"}) {
    const auto& about = find_system(system);
    auto open = about.complete(with(small(), {{"window_rule", "dialect"}}), "test");
    about.adopt_dialect("timm", open);
    EXPECT_EQ(open["window_rule"], "timm");
    auto given = about.complete(small("huggingface"), "test");
    about.adopt_dialect("timm", given);
    EXPECT_EQ(given["window_rule"], "huggingface");
    auto missing = small();
    missing.erase("window_rule");
    EXPECT_EQ(about.complete(missing, "test")["window_rule"], "dialect");
  }
}

TEST(SwinConfigs, RefuseWhatCannotBe) {
  const auto& about = find_system("swin");
  const auto refused = [&](const Json& changes) {
    return refusal([&] { (void)about.complete(with(small(), changes), "test"); });
  };
  EXPECT_TRUE(says(refused({{"window_rule", "mine"}}), "window_rule"));
  EXPECT_TRUE(says(refused({{"num_heads", Json::array({4})}}), "num_heads"));
  EXPECT_TRUE(says(refused({{"num_heads", {3, 4}}}), "multiple"));
  EXPECT_TRUE(says(refused({{"depths", Json::array()}}), "stages"));
  EXPECT_TRUE(says(refused({{"window_size", {3, 5}}}), "one number"));
  EXPECT_TRUE(says(refused({{"window_sise", 4}}), "did you mean"));
  (void)about.complete(with(small(), {{"use_checkpoint", true}}), "test");
  EXPECT_NE(refusal(
                [&] {
                  (void)about.complete(with(small(), {{"head_dim", 9}}), "test");
                },
                ErrorKind::not_supported),
            "");
}

TEST(SwinConfigs, HuggingFaceLeavesTwoNormsAtTheirDefault) {
  const Json theirs = {{"model_type", "swin"}, {"layer_norm_eps", 1e-3}, {"num_labels", 3}};
  const auto config = find_system("swin").from_huggingface(theirs, "test");
  EXPECT_EQ(config["norm_layer"]["eps"], 1e-3);
  EXPECT_EQ(config["merge_norm_eps"], 1e-5);
  EXPECT_EQ(config["window_rule"], "huggingface");
  auto absolute = theirs;
  absolute["use_absolute_embeddings"] = true;
  EXPECT_NE(refusal([&] { (void)find_system("swin").from_huggingface(absolute, "test"); },
                    ErrorKind::not_supported),
            "");
}

TEST(SwinConfigs, V2InheritsTheWindowsItsWeightsLearned) {
  const auto& about = find_system("swinv2");
  const auto source = about.complete(with(small(), {{"window_size", 8}}), "test");
  auto target = with(source, {{"img_size", 64}, {"window_size", 16}});
  about.inherit(source, target);
  EXPECT_EQ(target["pretrained_window_sizes"], (Json{8, 4}));
  auto further = with(target, {{"img_size", 96}, {"window_size", 24}});
  about.inherit(target, further);
  EXPECT_EQ(further["pretrained_window_sizes"], (Json{8, 4}));
}

}  // namespace
}  // namespace saccade::models
