// One model, several picture sizes: fitted weights, one plan.

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/load.h"
#include "saccade/models/open.h"
#include "saccade/models/registry.h"
#include "tests/support/run.h"
#include "tests/trace/agree.h"

namespace saccade::trace {
namespace {

const Json kVit = {{"img_size", 32}, {"patch_size", 8}, {"embed_dim", 24},
                   {"depth", 2},     {"num_heads", 3},  {"num_classes", 5}};
const Json kWindows = {{"img_size", 64},   {"patch_size", 4},     {"embed_dim", 24},
                       {"depths", {2, 2}}, {"num_heads", {2, 3}}, {"window_size", 4},
                       {"num_classes", 5}};

models::Opened opened(const std::string& system, const Json& config) {
  models::Opened out;
  out.about.name = "small";
  out.about.system = system;
  out.model = models::build(system, config);
  out.about.config = models::find_system(system).complete(config, "test");
  models::fill_by_formula(*out.model);
  out.model->eval();
  return out;
}

plan::Plan traced(const models::Opened& of, int64_t side) {
  return trace(*of.model, {.inputs = {{"images", {3, side, side}}}, .outputs = {"logits"}});
}

TEST(PictureSizes, OnePlanAnswersAsEachModelDoes) {
  using Case = std::tuple<std::string, Json, std::array<int64_t, 2>>;
  const std::vector<Case> cases = {
      {"vit", kVit, {32, 48}}, {"swin", kWindows, {64, 128}}, {"swinv2", kWindows, {64, 96}}};
  for (const auto& [system, config, sides] : cases) {
    SCOPED_TRACE(system);
    const auto native = opened(system, config);
    const auto other = models::resized(native, {sides[1], sides[1]});
    auto raw = traced(native, sides[0]);
    raw.others.push_back(traced(other, sides[1]));
    const auto bytes = plan::serialize(compile::compile(raw));
    const auto alone = plan::serialize(compile::compile(traced(native, sides[0])));
    EXPECT_LT(bytes.size(), 2 * alone.size());
    const auto engine = test::engine_of(plan::parse(bytes, nullptr, "both.plan"));
    for (const auto* model : {&native, &other}) {
      const int64_t side = sides[model == &other ? 1 : 0];
      const NamedTensors images = {{"images", test::random_tensor({3, 3, side, side}, "unseen")}};
      test::expect_answers(test::eager_answers(*model->model, images), engine->run(images));
    }
  }
}

TEST(PictureSizes, PipelinesFollow) {
  auto native = opened("vit", kVit);
  native.about.pipeline.resize_height = native.about.pipeline.resize_width = 35;
  native.about.pipeline.crop_height = native.about.pipeline.crop_width = 32;
  const auto pipeline = models::resized(native, {64, 64}).about.pipeline;
  EXPECT_EQ(pipeline.crop_height, 64);
  EXPECT_EQ(pipeline.resize_width, 71);  // floor(64 / 0.9)
}

TEST(PictureSizes, WhatASystemCannotIsNotSupported) {
  const auto reason = [](const models::Opened& model, models::Pair size) {
    try {
      static_cast<void>(models::resized(model, size));
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::not_supported) << e.what();
      return std::string(e.what());
    }
    return std::string();
  };
  const auto mixer = opened("mixer", {{"img_size", 32},
                                      {"patch_size", 8},
                                      {"embed_dim", 24},
                                      {"num_blocks", 1},
                                      {"num_classes", 5}});
  EXPECT_NE(reason(mixer, {48, 48}).find("token MLPs"), std::string::npos);
  auto official = kWindows;
  official["window_rule"] = "official";
  EXPECT_NE(reason(opened("swin", official), {72, 72}).find("windows of"), std::string::npos);
  EXPECT_NE(reason(opened("vit", kVit), {4, 4}), "");  // smaller than a patch
}

TEST(PictureSizes, OnTheCommandLine) {
  const test::TemporaryFolder folder;
  const auto config =
      folder.write("config.json", Json({{"system", "vit"}, {"config", kVit}}).dump()).string();
  const auto plan = (folder.path() / "both.plan").string();
  const auto made = test::saccade({"compile", config, "-o", plan, "--sizes", "48x48,32x32",
                                   "--taps", "blocks.1.attn.attn_drop", "--json"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(parse_json(made.out, "stdout")["sizes"], 2);
  const auto about = parse_json(test::saccade({"inspect", plan, "--json"}).out, "stdout");
  EXPECT_EQ(about["metadata"]["pipeline"]["crop_height"], 48);
  EXPECT_EQ(about["metadata"]["outputs"]["blocks.1.attn.attn_drop"], "F32[N, 3, 37, 37]");
  EXPECT_EQ(about["metadata"]["random_weights"], true);
  const auto bench = test::saccade({"bench", plan, "--size", "32x32", "--seconds", "0.01"});
  EXPECT_EQ(bench.code, 0) << bench.err;
  const auto listed = test::saccade({"compile", config, "--taps", "list"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_NE(listed.out.find("blocks.1.attn.attn_drop"), std::string::npos) << listed.out;
  EXPECT_EQ(test::saccade({"compile", config, "--taps", "blocks.9", "-o", plan}).code, 2);
  EXPECT_EQ(test::saccade({"compile", config, "--sizes", "32,32", "-o", plan}).code, 2);
}

}  // namespace
}  // namespace saccade::trace
