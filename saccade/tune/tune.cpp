#include "saccade/tune/tune.h"

#include "saccade/base/error.h"
#include "saccade/base/log.h"
#include "saccade/runtime/peak.h"
#include "saccade/tune/calibrate.h"
#include "saccade/tune/choose.h"
#include "saccade/tune/compare.h"
#include "saccade/tune/timing.h"

namespace saccade::tune {
namespace {

constexpr double kBudgetBf16 = 0.2, kBudgetInt8 = 0.5;  // points of top-1

void check(const TuneOptions& options) {
  if (options.pictures) return;
  if (options.precision == Precision::int8)
    throw usage_error("int8 needs pictures to calibrate on: give --calibrate DIR");
  if (options.budget)
    throw usage_error("a budget is kept on pictures: give --calibrate DIR beside --budget");
}

/// The largest loss; nothing if there is no limit.
std::optional<double> budget_of(const TuneOptions& options) {
  if (options.budget || !options.pictures->labelled()) return options.budget;
  return options.precision == Precision::int8 ? kBudgetInt8 : kBudgetBf16;
}

/// Says how much the pictures can tell.
void announce(const Pictures& pictures, const std::optional<double>& budget) {
  if (!pictures.labelled()) {
    log_warning("{}: no labels ({}); precision is judged by the relative error of the output{}",
                pictures.name(), pictures.why_unlabelled(),
                budget ? fmt::format(", up to {} %", *budget) : ", without a limit");
    return;
  }
  const double step = 100.0 / static_cast<double>(pictures.size());
  if (step > *budget)
    log_warning(
        "{}: {} pictures measure top-1 in steps of {:.2g} points, coarser than the budget "
        "of {}",
        pictures.name(), pictures.size(), step, *budget);
}

/// Times of the whole plan before and after.
void time_plans(const plan::Plan& optimised, const std::vector<Layer>& layers, Facts& facts) {
  const auto ms = measure_plans(
      {compile::emit(optimised, {}), compile::emit(optimised, assignment_of(layers))});
  facts.ms_fp32 = ms[0];
  facts.ms = ms[1];
}

}  // namespace

plan::Plan tune(const plan::Plan& raw, const TuneOptions& options,
                const compile::CompileOptions& how) {
  check(options);
  const auto all_sizes = compile::optimise(raw, how);
  auto optimised = all_sizes;
  optimised.others.clear();  // what is measured at the first size holds for the others
  const bool bf16 = !options.measure || runtime::arithmetic().computes_bf16;
  auto layers = layers_of(optimised.graph, options.precision, bf16);
  Facts facts;
  facts.requested = options.precision;
  if (options.pictures) measure_errors(optimised, *options.pictures, layers, options.on_pictures);
  if (options.measure) measure_times(optimised, layers);
  choose_fastest(layers, options.precision);
  if (options.pictures) {
    facts.calibration = options.pictures->name();
    facts.budget = budget_of(options);
    announce(*options.pictures, facts.budget);
    const Judge judge(optimised, *options.pictures, options.on_pictures);
    const auto loss = [&](const compile::Assignment& assignment) {
      const auto comparison = judge.compare(assignment);
      // The last one that passes is the one that is kept.
      if (!facts.budget || comparison.loss() <= *facts.budget) facts.comparison = comparison;
      return comparison.loss();
    };
    if (facts.budget)
      fit_budget(layers, *facts.budget, loss);
    else
      loss(assignment_of(layers));
  }
  if (options.measure) time_plans(optimised, layers, facts);
  auto plan = compile::emit(all_sizes, assignment_of(layers), how);
  plan.info.report = report(layers, facts);
  return plan;
}

}  // namespace saccade::tune
