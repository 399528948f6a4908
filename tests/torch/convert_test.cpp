// `saccade convert` between every naming convention and every container, for every system.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "saccade/base/file.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/checkpoint/writer.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/describe.h"
#include "saccade/models/load.h"
#include "saccade/models/open.h"
#include "saccade/models/registry.h"
#include "saccade/nn/host.h"
#include "tests/support/run.h"

namespace saccade::models {
namespace {

namespace fs = std::filesystem;

test::RunResult convert(const fs::path& in, const fs::path& out,
                        std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"convert", in.string(), out.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return test::run(fs::path(SACCADE_BIN) / "saccade-torch", arguments);
}

void expect_equal(const NamedTensors& actual, const NamedTensors& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const auto* found = find(actual, name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->shape(), tensor.shape()) << name;
    EXPECT_TRUE(std::ranges::equal(found->bytes(), tensor.bytes())) << name;
  }
}

/// A model small enough for a test.
struct Small {
  std::string name, system;
  Json config;
};

std::vector<Small> small_models() {
  const Json vit = {{"img_size", 32}, {"patch_size", 8}, {"embed_dim", 24},
                    {"depth", 2},     {"num_heads", 3},  {"num_classes", 5}};
  Json distilled = vit, mixer = vit;
  distilled["distilled"] = true;
  mixer.erase("depth"), mixer.erase("num_heads");
  mixer.update({{"num_blocks", 2}, {"img_size", {32, 48}}, {"mlp_ratio", {0.75, 2.0}}});
  return {{"deit", "deit", vit},
          {"deit_distilled", "deit", distilled},
          {"mixer", "mixer", mixer},
          {"vit", "vit", vit}};
}

struct Conversion {
  Small model;
  std::string dialect, extension;
};

std::vector<Conversion> conversions() {
  std::vector<Conversion> out;
  for (const auto& model : small_models()) {
    std::set<std::string> dialects{"official", "timm"};
    const auto& system = find_system(model.system);
    for (const auto& dialect : system.dialects(system.complete(model.config, model.name)))
      dialects.insert(dialect.name);
    for (const auto& dialect : dialects)
      for (const char* extension : {"safetensors", "pth", "npz"})
        out.push_back({model, dialect, extension});
  }
  return out;
}

std::string test_name(const ::testing::TestParamInfo<Conversion>& info) {
  auto name = info.param.model.name + "_" + info.param.dialect + "_" + info.param.extension;
  std::ranges::replace(name, '-', '_');
  return name;
}

/// A Saccade checkpoint of the model with formula weights.
fs::path write_model(const test::TemporaryFolder& folder, const Small& small) {
  const auto model = build(small.system, small.config);
  fill_by_formula(*model);
  const Json about = {{"system", small.system}, {"config", small.config}};
  const auto file = folder.path() / "in.safetensors";
  checkpoint::write_safetensors(file, nn::state_dict(*model), {{kConfigKey, about.dump()}});
  return file;
}

class Convert : public ::testing::TestWithParam<Conversion> {};

TEST_P(Convert, HoldsTheSameModelUnderTheOtherNames) {
  const auto& [small, dialect, extension] = GetParam();
  const test::TemporaryFolder folder;
  const auto in = write_model(folder, small);
  const auto out = folder.path() / ("out." + extension);
  const auto result = convert(in, out, {"--dialect", dialect});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json about = {{"system", small.system}, {"config", small.config}};
  const auto config = folder.write("about.json", about.dump());
  const auto opened = open(out.string(), {.config = config.string()});
  // The first table that knows the names says which they are; timm's are the official ones here.
  EXPECT_EQ(opened.dialect, dialect == "timm" ? "official" : dialect);
  expect_equal(nn::state_dict(*opened.model), checkpoint::Checkpoint::open(in).state_dict());
}

INSTANTIATE_TEST_SUITE_P(Zoo, Convert, ::testing::ValuesIn(conversions()), test_name);

// ---- what cannot be written ---------------------------------------------------------------------

struct Refusal {
  const char* name;
  Small model;
  const char* out;
  std::vector<std::string> arguments;
  int code;
  const char* says;
};

Small changed(size_t which, const Json& change) {
  auto model = small_models()[which];
  model.config.update(change);
  return model;
}

std::vector<Refusal> refusals() {
  const auto deit = changed(0, Json::object()), mixer = changed(2, Json::object());
  const auto vit = changed(3, Json::object());
  const auto pre_norm = changed(3, {{"pre_norm", true}});
  const auto average = changed(3, {{"global_pool", "avg"}});
  const auto stem_norm = changed(2, {{"stem_norm", true}});
  const auto stem = changed(3, {{"stem", "conv"}});
  const std::vector<std::string> jax{"--dialect", "jax-npz"}, hub{"--dialect", "huggingface"};
  return {
      {"DeiTHasNoJax", deit, "x.npz", jax, 4, "known: huggingface, official"},
      {"MixerHasNoHub", mixer, "x.safetensors", hub, 4, "known: jax-npz, official"},
      {"JaxHasNoStemNorm", stem_norm, "x.npz", jax, 4, "stem.norm.weight"},
      {"JaxHasNoPreNorm", pre_norm, "x.npz", jax, 4, "norm_pre.weight"},
      {"HubHasNoPreNorm", pre_norm, "x.safetensors", hub, 4, "norm_pre.weight"},
      {"HubHasNoAveragePool", average, "x.safetensors", hub, 4, "fc_norm.weight"},
      {"TimmHasNoConvStem", stem, "x.pth", {"--dialect", "timm"}, 4, "known: official"},
      {"FolderWithoutDialect", vit, "folder", {}, 2, "--dialect huggingface"},
      {"UnknownExtension", vit, "x.onnx", {}, 2, ".npz"},
      {"WrapIsForPth", vit, "x.npz", {"--wrap", "model"}, 2, "--wrap"},
      {"AMixerHasOneSize", mixer, "x.npz", {"--img-size", "64"}, 4, "cannot be resized"},
  };
}

class ConvertRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(ConvertRefuses, AndWritesNothing) {
  const auto& refusal = GetParam();
  const test::TemporaryFolder folder;
  const auto in = write_model(folder, refusal.model);
  const auto out = folder.path() / refusal.out;
  const auto result = convert(in, out, refusal.arguments);
  EXPECT_EQ(result.code, refusal.code) << result.err;
  EXPECT_NE(result.err.find(refusal.says), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(out));
}

INSTANTIATE_TEST_SUITE_P(Zoo, ConvertRefuses, ::testing::ValuesIn(refusals()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Describe, ABareConfigurationHasThePresetsPipelineAtItsOwnSize) {
  const test::TemporaryFolder folder;
  const auto square = describe(write_model(folder, small_models()[3]).string()).pipeline;
  EXPECT_EQ(square.crop_height, 32);
  EXPECT_EQ(square.resize_height, 35);  // 32 * 248 / 224
  EXPECT_EQ(square.resize, ResizeRule::shorter_side);
  const auto wide = describe(write_model(folder, small_models()[2]).string()).pipeline;
  EXPECT_EQ(wide.crop_height, 32);
  EXPECT_EQ(wide.crop_width, 48);
  EXPECT_EQ(wide.resize_width, 54);  // 48 * 256 / 224
  EXPECT_EQ(wide.resize, ResizeRule::cover);
  EXPECT_EQ(wide.mean, (std::array<double, 3>{0.5, 0.5, 0.5}));
}

// ---- folders of the hub -------------------------------------------------------------------------

TEST(ConvertFolder, ComesBackAsTheHubHadIt) {
  for (const char* name : {"deit/hf_distilled", "vit/hf"}) {
    const auto given = fs::path(SACCADE_TEST_DATA) / name;
    const test::TemporaryFolder folder;
    folder.write("hub/config.json", read_text(given / "config.json"));
    folder.write("hub/preprocessor_config.json", read_text(given / "preprocessor_config.json"));
    fs::copy_file(given / "weights.safetensors", folder.path() / "hub/model.safetensors");
    const auto hub = folder.path() / "hub", out = folder.path() / "out";
    const auto result = convert(hub, out, {"--dialect", "huggingface"});
    ASSERT_EQ(result.code, 0) << result.err;
    const auto before = describe(hub.string()), after = describe(out.string());
    EXPECT_EQ(after.system, before.system);
    EXPECT_EQ(after.config, before.config);
    EXPECT_EQ(after.pipeline, before.pipeline);
    EXPECT_EQ(after.labels, before.labels);
    const auto theirs = checkpoint::Checkpoint::open(hub).state_dict();
    for (const auto& [tensor_name, tensor] : checkpoint::Checkpoint::open(out).state_dict()) {
      const auto* found = find(theirs, tensor_name);
      ASSERT_NE(found, nullptr) << tensor_name;
      EXPECT_TRUE(std::ranges::equal(found->bytes(), tensor.bytes())) << tensor_name;
    }
  }
}

TEST(ConvertFolder, SaysWhenNoProcessorOfTheHubComputesThePipeline) {
  const test::TemporaryFolder folder;
  const auto in = write_model(folder, changed(3, Json::object()));
  const auto out = folder.path() / "out";
  folder.write("out/preprocessor_config.json", "{}");
  const auto result = convert(in, out, {"--dialect", "huggingface"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.err.find("no preprocessor_config.json"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(out / "preprocessor_config.json"));
  const auto before = describe(in.string()), after = describe(out.string());
  EXPECT_EQ(after.config, before.config);
  EXPECT_EQ(after.pipeline, before.pipeline);
}

TEST(ConvertFolder, RatesOfTrainingAndRoundedWidthsAreNoObstacle) {
  const test::TemporaryFolder folder;
  const auto in = write_model(folder, changed(3, {{"mlp_ratio", 2.37}, {"drop_path_rate", 0.1}}));
  const auto result = convert(in, folder.path() / "out", {"--dialect", "huggingface"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto opened = open((folder.path() / "out").string());
  expect_equal(nn::state_dict(*opened.model), checkpoint::Checkpoint::open(in).state_dict());
}

TEST(ConvertFolder, RefusesWhatAHubConfigurationCannotSay) {
  const test::TemporaryFolder folder;
  const auto in = write_model(folder, changed(3, {{"class_token", false}, {"global_pool", "avg"}}));
  const auto result = convert(in, folder.path() / "out", {"--dialect", "huggingface"});
  EXPECT_EQ(result.code, 4) << result.err;
  EXPECT_FALSE(fs::exists(folder.path() / "out/config.json"));
}

}  // namespace
}  // namespace saccade::models
