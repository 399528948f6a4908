// Generated from the catalogue: every preset, with fewer and narrower blocks, compiles to a plan
// that answers as the eager model does and for each picture as if it were alone.

#include <gtest/gtest.h>

#include "saccade/models/catalogue.h"
#include "saccade/models/load.h"
#include "saccade/models/registry.h"
#include "saccade/models/verify.h"
#include "tests/trace/agree.h"

namespace saccade::trace {
namespace {

using models::Preset;

std::vector<const Preset*> all_presets() {
  std::vector<const Preset*> out;
  for (const auto& system : models::systems())
    for (const auto& preset : system.presets) out.push_back(&preset);
  return out;
}

/// Two blocks (of stages with windows: two in the second, one in the others, so that there is a
/// shifted one) and two heads or one (64 channels without heads); picture, patch, window and every
/// other option are the preset's.
Json shrunken(const Preset& preset) {
  Json config = preset.config;
  config["num_classes"] = 10;
  for (const char* key : {"depth", "num_blocks"})
    if (config.contains(key)) config[key] = 2;
  if (config.contains("depths"))
    for (size_t i = 0; i < config["depths"].size(); ++i) config["depths"][i] = i == 1 ? 2 : 1;
  if (!config.contains("num_heads")) {
    config["embed_dim"] = 64;
    return config;
  }
  auto& heads = config["num_heads"];
  const auto width = config["embed_dim"].get<int64_t>();
  if (heads.is_array()) {
    const auto first = heads[0].get<int64_t>();
    for (auto& count : heads) count = count.get<int64_t>() / first;
    config["embed_dim"] = width / first;
  } else {
    config["embed_dim"] = 2 * width / heads.get<int64_t>();
    heads = 2;
  }
  return config;
}

class EveryPresetCompiled : public ::testing::TestWithParam<const Preset*> {};

TEST_P(EveryPresetCompiled, PlanAnswersAsTheModelDoes) {
  const auto& preset = *GetParam();
  const auto config = shrunken(preset);
  const auto model = models::build(preset.system, config);
  models::fill_by_formula(*model);
  const auto& pipeline = preset.pipeline;
  const TraceOptions options = {
      .inputs = {{"images", {3, pipeline.crop_height, pipeline.crop_width}}},
      .outputs = {"logits"}};
  const auto engine = test::engine_of(compile::compile(trace(*model, options)));
  const auto three = test::pictures(options, 3);
  const auto expected = test::eager_outputs(*model, three), together = engine->run(three);
  test::expect_answers({expected[0]}, together);

  const auto& images = three[0].second;
  const auto& logits = together[0].second;
  const size_t size = images.bytes().size() / 3, answer = logits.bytes().size() / 3;
  for (size_t i = 0; i < 3; ++i) {
    auto shape = images.shape();
    shape[0] = 1;
    const HostTensor one(DType::F32, shape, images.bytes().subspan(i * size, size),
                         std::make_shared<HostTensor>(images));
    const auto alone = engine->run({{"images", one}});
    EXPECT_TRUE(
        std::ranges::equal(alone[0].second.bytes(), logits.bytes().subspan(i * answer, answer)))
        << "picture " << i;
    if (i == 0) test::expect_answers(test::eager_outputs(*model, {{"images", one}}), alone);
  }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryPresetCompiled, ::testing::ValuesIn(all_presets()),
                         [](const auto& test) { return test.param->name; });

TEST(GoldenPlans, AnswerAsTheReferenceDoes) {
  const std::filesystem::path golden = SACCADE_TEST_DATA;
  models::VerifyOptions options;
  options.engine = [](models::Model& model, const NamedTensors& inputs) {
    TraceOptions how;
    for (const auto& [name, tensor] : inputs)
      how.inputs.emplace_back(name, Shape(tensor.shape().begin() + 1, tensor.shape().end()));
    return test::engine_of(compile::compile(trace(model, how)));
  };
  using Status = models::CaseResult::Status;
  int passed = 0;
  for (const char* system : {"deit", "mixer", "swin", "swinv2", "vit"})
    for (const auto& folder : models::find_cases(golden / system)) {
      const auto result = models::verify_case(folder, options);
      const bool is_model = result.status != Status::unsupported;
      EXPECT_TRUE(!is_model || result.status == Status::passed)
          << folder.string() << ": " << result.message;
      passed += is_model ? 1 : 0;
    }
  EXPECT_GE(passed, 24);
}

}  // namespace
}  // namespace saccade::trace
