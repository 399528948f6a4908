#include "apps/cli/compiled.h"

#include "apps/cli/hand_over.h"
#include "apps/cli/plan_opener.h"
#include "saccade/compile/compile.h"

namespace saccade::cli {
namespace {

plan::Plan traced(const Program& program, const ModelArgs& args) {
  if (!program.trace_model) hand_over(program, fmt::format("tracing {}", args.model));
  return program.trace_model(args);
}

}  // namespace

plan::Plan compiled_plan(const Program& program, const ModelArgs& args) {
  auto plan =
      names_plan(args.model) ? plan::open(args.model, {args.residence}) : traced(program, args);
  return plan.info.raw ? compile::compile(plan) : plan;
}

plan::Plan raw_plan(const Program& program, const ModelArgs& args) {
  if (!names_plan(args.model)) return traced(program, args);
  if (!args.sizes.empty() || !args.taps.empty())
    throw usage_error("{} is traced already; give --sizes and --taps to `saccade trace`",
                      args.model);
  auto raw = plan::open(args.model);
  if (!raw.info.raw)
    throw usage_error("{} is compiled already; give the raw plan that `saccade trace` wrote",
                      args.model);
  return raw;
}

bool list_taps(const Program& program, const ModelArgs& args) {
  if (args.taps != std::vector<std::string>{"list"} || names_plan(args.model)) return false;
  if (!program.list_taps) hand_over(program, fmt::format("tracing {}", args.model));
  program.list_taps(args);
  return true;
}

}  // namespace saccade::cli
