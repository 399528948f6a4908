// The bundled plan answers as the checkpoint that it was compiled from.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "apps/cli/build.h"
#include "saccade/models/engine.h"
#include "saccade/models/open.h"
#include "saccade/runtime/session.h"
#include "tests/plan/graphs.h"

namespace saccade::test {
namespace {

/// Largest difference that a plan of each precision may have, relative to the largest logit.
const std::map<std::string, float, std::less<>> kTolerance{
    {"fp32", 1e-4F}, {"bf16", 3e-2F}, {"int8", 0.2F}};

TEST(BundledPlan, AnswersAsItsCheckpoint) {
  const auto assets = cli::assets_folder();
  ASSERT_TRUE(assets);
  const auto checkpoint = models::open((*assets / "vit_cifar10.safetensors").string());
  const auto plan = runtime::Model::open(*assets / "vit_cifar10.plan");
  EXPECT_EQ(plan->info().pipeline, checkpoint.about.pipeline);
  EXPECT_EQ(plan->info().labels, checkpoint.about.labels);
  ASSERT_TRUE(kTolerance.contains(plan->info().precision)) << plan->info().precision;

  const NamedTensors inputs = {{"images", random_tensor({16, 3, 32, 32}, "bundled")}};
  const auto expected = models::eager_engine(checkpoint.model)->run(inputs).at(0).second;
  const auto answer = runtime::make_engine(plan)->run(inputs).at(0).second;
  ASSERT_EQ(answer.shape(), expected.shape());
  const auto a = answer.as<float>(), b = expected.as<float>();
  float scale = 0, difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_TRUE(std::isfinite(a[i])) << i;
    scale = std::max(scale, std::abs(b[i]));
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  ASSERT_GT(scale, 1.0F);
  EXPECT_LE(difference, kTolerance.find(plan->info().precision)->second * scale);
}

}  // namespace
}  // namespace saccade::test
