// Choosing precision: what the budget raises and in which order, what calibration measures, what
// stands in the report.

#include "saccade/tune/tune.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/tune/calibrate.h"
#include "saccade/tune/choose.h"
#include "saccade/tune/compare.h"
#include "tests/plan/small_plan.h"
#include "tests/support/pictures.h"
#include "tests/support/run.h"

namespace saccade::tune {
namespace {

Layer layer(plan::ValueId id, std::array<double, 3> ms, std::array<double, 3> error) {
  Layer out;
  out.id = id;
  out.op = "linear";
  for (size_t i = 0; i < 3; ++i) {
    out.forms[i].possible = true;
    out.forms[i].choice.precision = kPrecisions[i];
    out.forms[i].ms = ms[i];
    out.forms[i].error = error[i];
  }
  return out;
}

TEST(Choose, TheFastestFormWins) {
  std::vector<Layer> layers = {layer(0, {4, 2, 1}, {}), layer(1, {4, 2, 3}, {}),
                               layer(2, {4, 3.95, 3.9}, {}), layer(3, {4, 2, 1}, {})};
  layers[3].form(Precision::int8).possible = false;
  choose_fastest(layers, Precision::int8);
  EXPECT_EQ(layers[0].chosen, Precision::int8);
  EXPECT_EQ(layers[0].reason, "");
  EXPECT_EQ(layers[1].chosen, Precision::bf16);
  EXPECT_EQ(layers[1].reason, "not faster in int8 here");
  EXPECT_EQ(layers[2].chosen, Precision::fp32);  // gains less than noise
  EXPECT_EQ(layers[3].chosen, Precision::bf16);
  EXPECT_EQ(layers[3].reason, "its weights have no int8");
}

TEST(Choose, WhatIsNotMeasuredIsLowered) {
  std::vector<Layer> layers = {layer(0, {}, {})};
  for (auto& form : layers[0].forms) form.ms.reset();
  choose_fastest(layers, Precision::bf16);
  EXPECT_NE(layers[0].chosen, Precision::fp32);
}

TEST(Choose, TheWorstForItsGainIsRaisedFirst) {
  // Errors 0.1, 0.4, 0.2 for gains of 1, 8 and 1 ms: the third costs most for its gain.
  std::vector<Layer> layers = {layer(0, {2, 1, 9}, {0, 0.1, 1}), layer(1, {9, 1, 9}, {0, 0.4, 1}),
                               layer(2, {2, 1, 9}, {0, 0.2, 1})};
  choose_fastest(layers, Precision::bf16);
  int calls = 0;
  const auto loss = [&](const compile::Assignment& assignment) {
    ++calls;
    double sum = 0;
    for (const auto& [id, choice] : assignment)
      if (choice.precision != Precision::fp32)
        sum += *layers[static_cast<size_t>(id)].forms[1].error;
    return sum;
  };
  auto kept = layers;
  fit_budget(kept, 0.55, loss);
  EXPECT_EQ(kept[0].chosen, Precision::bf16);
  EXPECT_EQ(kept[1].chosen, Precision::bf16);
  EXPECT_EQ(kept[2].chosen, Precision::fp32);
  EXPECT_EQ(kept[2].reason, "raised to keep the budget");
  kept = layers;
  fit_budget(kept, 10.0, loss);
  EXPECT_EQ(std::ranges::count(kept, Precision::bf16, &Layer::chosen), 3);
  kept = layers;
  fit_budget(kept, 0.0, loss);
  EXPECT_EQ(std::ranges::count(kept, Precision::fp32, &Layer::chosen), 3);
}

TEST(Choose, ManyLayersNeedFewLooks) {
  std::vector<Layer> layers;
  layers.reserve(300);
  for (int i = 0; i < 300; ++i) layers.push_back(layer(i, {2, 1.5, 1}, {0, 0.1, 1 + i * 1e-3}));
  choose_fastest(layers, Precision::int8);
  int calls = 0;
  const auto count = [](const compile::Assignment& assignment) {
    return std::ranges::count_if(
        assignment, [](const auto& entry) { return entry.second.precision == Precision::int8; });
  };
  fit_budget(layers, 100.0, [&](const compile::Assignment& assignment) {
    ++calls;
    return static_cast<double>(count(assignment));
  });
  EXPECT_EQ(std::ranges::count(layers, Precision::int8, &Layer::chosen), 100);
  EXPECT_EQ(std::ranges::count(layers, Precision::bf16, &Layer::chosen), 200);  // one step each
  EXPECT_LT(calls, 20);
}

/// A raw plan of the small transformer and folders of pictures for it.
class Tuned : public ::testing::Test {
 protected:
  Tuned() {
    for (const auto* name : {"a", "b", "c"}) {
      std::filesystem::create_directories(folder_.path() / "labelled" / name);
      std::filesystem::create_directories(folder_.path() / "other" / (std::string("no ") + name));
      for (const auto* file : {"1.png", "2.png"}) {
        folder_.write("labelled/" + std::string(name) + "/" + file, test::small_png());
        folder_.write("other/no " + std::string(name) + "/" + file, test::small_png());
      }
    }
    std::filesystem::create_directories(folder_.path() / "loose");
    folder_.write("loose/1.png", test::small_png());
    std::filesystem::create_directories(folder_.path() / "empty");
  }
  [[nodiscard]] Pictures pictures(const std::string& name, int64_t count = 100) const {
    return {folder_.path() / name, raw_, count};
  }

  plan::Plan raw_ = test::small_plan();
  test::TemporaryFolder folder_;
};

TEST_F(Tuned, PicturesHaveLabelsWhereClassesFit) {
  EXPECT_TRUE(pictures("labelled").labelled());
  EXPECT_EQ(pictures("labelled").size(), 6);
  EXPECT_EQ(pictures("labelled", 4).size(), 4);
  const auto other = pictures("other");
  EXPECT_FALSE(other.labelled());
  EXPECT_NE(other.why_unlabelled().find("no label"), std::string::npos);
  EXPECT_EQ(pictures("loose").size(), 1);
  EXPECT_FALSE(pictures("loose").labelled());
  std::vector<int64_t> truth;
  pictures("labelled").for_each(4, -1, [&](const Pictures::Batch& batch) {
    EXPECT_EQ(batch.images.shape()[1], 3);
    truth.insert(truth.end(), batch.truth.begin(), batch.truth.end());
  });
  EXPECT_EQ(truth, (std::vector<int64_t>{0, 0, 1, 1, 2, 2}));
}

TEST_F(Tuned, PicturesThatAreNoneAreErrors) {
  const auto kind = [&](const std::string& name) {
    try {
      static_cast<void>(pictures(name));
    } catch (const Error& e) {
      return e.kind();
    }
    return ErrorKind::interrupted;
  };
  EXPECT_EQ(kind("empty"), ErrorKind::bad_input);
  EXPECT_EQ(kind("absent"), ErrorKind::bad_input);
  raw_.info.pipeline.reset();
  EXPECT_EQ(kind("loose"), ErrorKind::usage);
}

TEST_F(Tuned, CalibrationMeasuresEveryForm) {
  const auto optimised = compile::optimise(raw_);
  auto layers = layers_of(optimised.graph, Precision::int8, true);
  measure_errors(optimised, pictures("labelled"), layers);
  for (const auto& layer : layers) {
    EXPECT_EQ(layer.form(Precision::fp32).error, 0.0);
    const auto half = layer.form(Precision::bf16).error;
    ASSERT_TRUE(half);
    EXPECT_GT(*half, 0.0) << layer.path;
    EXPECT_LT(*half, 0.02) << layer.path;
    EXPECT_EQ(layer.form(Precision::int8).error.has_value(), layer.op == "linear");
    if (layer.op != "linear") continue;
    EXPECT_LT(*layer.form(Precision::int8).error, 0.05) << layer.path;
    EXPECT_GT(*layer.form(Precision::int8).error, 0.0) << layer.path;
  }
}

TEST_F(Tuned, LossIsMeasuredOnWholePlans) {
  const auto optimised = compile::optimise(raw_);
  const auto set = pictures("labelled");
  const Judge judge(optimised, set);
  const auto layers = layers_of(optimised.graph, Precision::int8, true);
  const auto same = judge.compare({});
  EXPECT_EQ(same.loss(), 0.0);
  EXPECT_EQ(same.output_error, 0.0);
  EXPECT_EQ(same.top1, same.top1_fp32);
  const auto low = judge.compare(assignment_of(layers, Precision::int8));
  EXPECT_GT(low.output_error, 0.0);
  EXPECT_LT(low.output_error, 0.1);
}

TEST_F(Tuned, WithoutMeasuringEverythingIsLowered) {
  const auto plan = tune(raw_, {.precision = Precision::bf16, .measure = false});
  EXPECT_EQ(plan.info.precision, "bf16");
  EXPECT_EQ(plan.info.report["counts"]["bf16"], 12);
  EXPECT_TRUE(plan.info.report["ms"]["plan"].is_null());
  EXPECT_FALSE(plan.info.report.contains("comparison"));
  EXPECT_EQ(plan::serialize(plan),
            plan::serialize(tune(raw_, {.precision = Precision::bf16, .measure = false})));
}

TEST_F(Tuned, ABudgetOfNothingRaisesLayers) {
  const auto loose = std::make_shared<Pictures>(pictures("loose"));
  TuneOptions options{.precision = Precision::int8, .pictures = loose, .measure = false};
  const auto free = tune(raw_, options);
  EXPECT_EQ(free.info.report["comparison"]["measure"], "output_error");
  EXPECT_EQ(free.info.report["counts"]["int8"], 10);
  options.budget = 0.0;
  const auto none = tune(raw_, options);
  EXPECT_EQ(none.info.precision, "fp32");
  EXPECT_EQ(none.info.report["comparison"]["loss"], 0.0);
  options.budget = free.info.report["comparison"]["loss"].get<double>() / 2;
  const auto half = tune(raw_, options);
  EXPECT_EQ(half.info.precision, "mixed");
  EXPECT_LE(half.info.report["comparison"]["loss"].get<double>(), *options.budget);
  for (const auto& row : half.info.report["layers"])
    EXPECT_EQ(row.contains("reason"), row["precision"] != "int8") << row;
}

TEST_F(Tuned, TimesAreMeasuredAndReported) {
  const auto plan = tune(raw_, {.precision = Precision::bf16});
  EXPECT_GT(plan.info.report["ms"]["plan"].get<double>(), 0.0);
  for (const auto& row : plan.info.report["layers"]) {
    const double fp32 = row["ms"]["fp32"].get<double>(), bf16 = row["ms"]["bf16"].get<double>();
    EXPECT_EQ(row["precision"], bf16 < 0.97 * fp32 ? "bf16" : "fp32");
  }
}

TEST_F(Tuned, WhatIsMissingIsAUsageError) {
  const auto kind = [&](const TuneOptions& options) {
    try {
      static_cast<void>(tune(raw_, options));
    } catch (const Error& e) {
      return e.kind();
    }
    return ErrorKind::interrupted;
  };
  EXPECT_EQ(kind({.precision = Precision::int8}), ErrorKind::usage);
  EXPECT_EQ(kind({.precision = Precision::bf16, .budget = 0.1}), ErrorKind::usage);
}

}  // namespace
}  // namespace saccade::tune
