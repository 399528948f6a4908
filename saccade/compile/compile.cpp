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

}  // namespace

plan::Plan compile(const plan::Plan& raw, const CompileOptions& options) {
  using Clock = std::chrono::steady_clock;
  check_names(options.skip);
  plan::Plan out;
  out.graph = raw.graph;
  for (const auto& other : raw.others) out.others.push_back({other.graph, {}});
  out.info = raw.info;
  out.info.raw = false;
  if (options.observe)
    for (const auto* bucket : buckets(out)) options.observe("trace", bucket->graph, 0.0);
  for (const auto& pass : passes()) {
    if (options.skip.contains(std::string(pass.name))) continue;
    for (auto* bucket : buckets(out)) {
      const auto start = Clock::now();
      bucket->graph = pass.run(bucket->graph);
      const std::chrono::duration<double> seconds = Clock::now() - start;
      const auto problem = find_problem(bucket->graph);
      SACCADE_CHECK(problem.empty(), "pass {}: {}", pass.name, problem);
      if (options.observe) options.observe(pass.name, bucket->graph, seconds.count());
    }
  }
  share_constants(out);
  return out;
}

}  // namespace saccade::compile
