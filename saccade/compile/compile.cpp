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

/// One step of the driver on one graph: runs, verifies, shows.
template <class Run>
void step(plan::Graph& graph, std::string_view name, const CompileOptions& options,
          const Run& run) {
  const auto start = Clock::now();
  graph = run(graph);
  const std::chrono::duration<double> seconds = Clock::now() - start;
  const auto problem = find_problem(graph);
  SACCADE_CHECK(problem.empty(), "pass {}: {}", name, problem);
  if (options.observe) options.observe(name, graph, seconds.count());
}

void run_passes(plan::Plan& plan, Stage stage, const CompileOptions& options) {
  for (const auto& pass : passes()) {
    if (pass.stage != stage || options.skip.contains(std::string(pass.name))) continue;
    for (auto* bucket : buckets(plan)) step(bucket->graph, pass.name, options, pass.run);
  }
  share_constants(plan);
}

/// The assignment for the graph of another size. Both have the same products one after the other,
/// unless a size was compiled to other operators: then that one stays fp32.
Assignment translated(const Assignment& assignment, const plan::Graph& from,
                      const plan::Graph& to) {
  const auto old_products = products_of(from), products = products_of(to);
  Assignment out;
  for (size_t i = 0; i < products.size() && products.size() == old_products.size(); ++i) {
    const auto found = assignment.find(old_products[i]);
    const bool same = from.value(old_products[i]).op == to.value(products[i]).op;
    if (found != assignment.end() && same) out[products[i]] = found->second;
  }
  return out;
}

}  // namespace

plan::Plan optimise(const plan::Plan& raw, const CompileOptions& options) {
  check_names(options.skip);
  plan::Plan out;
  out.graph = raw.graph;
  for (const auto& other : raw.others) out.others.push_back({other.graph, {}});
  out.info = raw.info;
  out.info.raw = false;
  if (options.observe)
    for (const auto* bucket : buckets(out)) options.observe("trace", bucket->graph, 0.0);
  run_passes(out, Stage::optimise, options);
  return out;
}

plan::Plan emit(const plan::Plan& optimised, const Assignment& assignment,
                const CompileOptions& options) {
  plan::Plan out = optimised;
  if (!assignment.empty())
    for (auto* bucket : buckets(out)) {
      const auto own = translated(assignment, optimised.graph, bucket->graph);
      step(bucket->graph, "assign_precision", options,
           [&](const plan::Graph& graph) { return assign_precision(graph, own); });
    }
  run_passes(out, Stage::emit, options);
  out.info.precision = precision_name(out.graph);
  return out;
}

plan::Plan compile(const plan::Plan& raw, const CompileOptions& options) {
  return emit(optimise(raw, options), {}, options);
}

}  // namespace saccade::compile
