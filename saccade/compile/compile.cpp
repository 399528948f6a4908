#include "saccade/compile/compile.h"

#include <algorithm>
#include <chrono>

#include <fmt/ranges.h>

#include "saccade/base/check.h"
#include "saccade/compile/passes/passes.h"

namespace saccade::compile {
namespace {

void check_names(const std::set<std::string>& skip) {
  for (const auto& name : skip) {
    const auto all = passes();
    if (std::ranges::find(all, name, &Pass::name) != all.end()) continue;
    std::vector<std::string_view> names;
    names.reserve(all.size());
    for (const auto& pass : all) names.push_back(pass.name);
    throw usage_error("there is no pass \"{}\"; there are {}", name, fmt::join(names, ", "));
  }
}

using Clock = std::chrono::steady_clock;

/// One step of the driver: runs, verifies, shows.
template <class Run>
void step(plan::Plan& plan, std::string_view name, const CompileOptions& options, const Run& run) {
  const auto start = Clock::now();
  plan.graph = run(plan.graph);
  const std::chrono::duration<double> seconds = Clock::now() - start;
  const auto problem = find_problem(plan.graph);
  SACCADE_CHECK(problem.empty(), "pass {}: {}", name, problem);
  if (options.observe) options.observe(name, plan.graph, seconds.count());
}

void run_passes(plan::Plan& plan, Stage stage, const CompileOptions& options) {
  for (const auto& pass : passes())
    if (pass.stage == stage && !options.skip.contains(std::string(pass.name)))
      step(plan, pass.name, options, pass.run);
}

}  // namespace

plan::Plan optimise(const plan::Plan& raw, const CompileOptions& options) {
  check_names(options.skip);
  plan::Plan out;
  out.graph = raw.graph;
  out.info = raw.info;
  out.info.raw = false;
  if (options.observe) options.observe("trace", out.graph, 0.0);
  run_passes(out, Stage::optimise, options);
  return out;
}

plan::Plan emit(const plan::Plan& optimised, const Assignment& assignment,
                const CompileOptions& options) {
  plan::Plan out = optimised;
  if (!assignment.empty())
    step(out, "assign_precision", options,
         [&](const plan::Graph& graph) { return assign_precision(graph, assignment); });
  run_passes(out, Stage::emit, options);
  out.info.precision = precision_name(out.graph);
  return out;
}

plan::Plan compile(const plan::Plan& raw, const CompileOptions& options) {
  return emit(optimise(raw, options), {}, options);
}

}  // namespace saccade::compile
