#pragma once
// A traced and compiled model beside the eager one.

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "saccade/compile/compile.h"
#include "saccade/compile/ir/text.h"
#include "saccade/models/model.h"
#include "saccade/nn/host.h"
#include "saccade/runtime/session.h"
#include "saccade/trace/trace.h"
#include "tests/plan/graphs.h"

namespace saccade::test {

/// Outputs of the model by name.
inline NamedTensors eager_outputs(models::Model& model, const NamedTensors& inputs) {
  const torch::NoGradGuard no_grad;
  model.eval();
  models::Inputs given;
  for (const auto& [name, tensor] : inputs) given.set(name, nn::to_torch(tensor));
  NamedTensors out;
  for (const auto& [name, value] : model.forward(given)) out.emplace_back(name, nn::to_host(value));
  return out;
}

/// The same, and everything that it offers on the way.
inline NamedTensors eager_answers(models::Model& model, const NamedTensors& inputs) {
  auto out = eager_outputs(model, inputs);
  const nn::ObserverScope scope([&](const std::string& path, const torch::Tensor& value) {
    out.emplace_back(path, nn::to_host(value.clone()));
  });
  static_cast<void>(eager_outputs(model, inputs));
  return out;
}

/// Every answer within 1e-4 of its scale of the one with its name; none is the same everywhere.
inline void expect_answers(const NamedTensors& expected, const NamedTensors& answers) {
  ASSERT_FALSE(answers.empty());
  for (const auto& [name, answer] : answers) {
    const auto* wanted = find(expected, name);
    ASSERT_NE(wanted, nullptr) << name;
    ASSERT_EQ(wanted->shape(), answer.shape()) << name;
    const auto a = wanted->as<float>(), b = answer.as<float>();
    double scale = 0.0, difference = 0.0;
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_TRUE(std::isfinite(b[i])) << name << " " << i;
      scale = std::max(scale, std::abs(double{a[i]}));
      difference = std::max(difference, std::abs(double{a[i]} - b[i]));
    }
    EXPECT_NE(*std::ranges::min_element(a), *std::ranges::max_element(a)) << name;
    EXPECT_LE(difference, 1e-4 * scale) << name;
  }
}

inline NamedTensors pictures(const trace::TraceOptions& options, int64_t batch) {
  Shape shape = options.inputs[0].second;
  shape.insert(shape.begin(), batch);
  return {{options.inputs[0].first, random_tensor(shape, "unseen")}};
}

inline std::shared_ptr<Engine> engine_of(plan::Plan plan) {
  return runtime::make_engine(std::make_shared<runtime::Model>(std::move(plan)));
}

/// Traces, compiles, and compares with the eager model at a batch that the trace has not seen.
inline void expect_plan_equals_eager(models::Model& model, const trace::TraceOptions& options) {
  const auto raw = trace::trace(model, options);
  ASSERT_EQ(plan::find_problem(raw), "");
  const auto inputs = pictures(options, 4);
  const auto expected = eager_answers(model, inputs);
  for (const auto& plan : {raw, compile::compile(raw)}) {
    SCOPED_TRACE(compile::print(plan.graph));
    const auto answers = engine_of(plan)->run(inputs);
    for (const auto& tap : options.taps) EXPECT_NE(find(answers, tap), nullptr) << tap;
    expect_answers(expected, answers);
  }
}

}  // namespace saccade::test
