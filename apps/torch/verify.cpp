// saccade verify: golden cases, or one's own checkpoint recorded in the same layout.

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include "apps/cli/output.h"
#include "apps/torch/verbs.h"
#include "saccade/compile/compile.h"
#include "saccade/models/verify.h"
#include "saccade/runtime/session.h"
#include "saccade/trace/trace.h"

namespace saccade::cli {
namespace {

using models::CaseResult;
using Status = CaseResult::Status;

struct Options {
  std::vector<std::string> cases;
  bool json = false;
  bool verbose = false;
  bool plan = false;
};

std::string_view word(Status status) {
  switch (status) {
    case Status::passed: return "ok";
    case Status::failed: return "FAILED";
    case Status::unreadable: return "unreadable";
    case Status::unsupported: return "not supported";
  }
  return "";
}

/// JSON has no infinity: a NaN or another shape is null.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json to_json(const CaseResult& result) {
  Json tensors = Json::array();
  for (const auto& t : result.tensors)
    tensors.push_back({{"name", t.name},
                       {"max_abs", number(t.max_abs)},
                       {"atol", t.atol},
                       {"rtol", t.rtol},
                       {"ok", t.ok}});
  Json out = {{"case", result.folder.string()},
              {"ok", result.status == Status::passed},
              {"status", word(result.status)},
              {"tensors", tensors}};
  if (!result.message.empty()) out["message"] = result.message;
  if (!result.skipped.empty()) out["skipped"] = result.skipped;
  return out;
}

void print(const CaseResult& result, bool verbose) {
  fmt::print("{:<13} {}\n", word(result.status), result.folder.string());
  if (!result.message.empty()) fmt::print("  {}\n", result.message);
  for (const auto& t : result.tensors)
    if (verbose || !t.ok || t.name.starts_with("out."))
      fmt::print("  {:<32} max |difference| {:<9.2e} atol {:.0e} rtol {:.0e}{}\n", t.name,
                 t.max_abs, t.atol, t.rtol, t.ok ? "" : "  FAILED");
  if (verbose && !result.skipped.empty())
    fmt::print("  not offered by the model: {}\n", fmt::join(result.skipped, ", "));
}

/// The model compiled for inputs of that size.
std::shared_ptr<Engine> compile_for(models::Model& model, const NamedTensors& inputs) {
  trace::TraceOptions options;
  for (const auto& [name, tensor] : inputs)
    options.inputs.emplace_back(name, Shape(tensor.shape().begin() + 1, tensor.shape().end()));
  auto plan = compile::compile(trace::trace(model, options));
  return runtime::make_engine(std::make_shared<runtime::Model>(std::move(plan)));
}

/// 1 if a tensor or a case failed, else 3 if one was unreadable, else 4 if one was not supported.
int exit_of(const std::vector<CaseResult>& results) {
  const auto any = [&](Status s) {
    return std::ranges::any_of(results, [&](const auto& r) { return r.status == s; });
  };
  if (any(Status::failed)) return exit_code(ErrorKind::failed_check);
  if (any(Status::unreadable)) return exit_code(ErrorKind::bad_input);
  return any(Status::unsupported) ? exit_code(ErrorKind::not_supported) : 0;
}

int run(const Options& options) {
  std::vector<CaseResult> results;
  models::VerifyOptions how;
  if (options.plan) how.engine = compile_for;
  for (const auto& path : options.cases)
    for (const auto& folder : models::find_cases(path)) {
      results.push_back(models::verify_case(folder, how));
      if (!options.json) print(results.back(), options.verbose);
    }
  if (options.json) {
    Json report = Json::array();
    for (const auto& result : results) report.push_back(to_json(result));
    print_json(report);
  } else {
    const auto count = [&](Status s) {
      return std::ranges::count(results, s, &CaseResult::status);
    };
    fmt::print("{} passed, {} failed, {} unreadable, {} not supported\n", count(Status::passed),
               count(Status::failed), count(Status::unreadable), count(Status::unsupported));
  }
  return exit_of(results);
}

}  // namespace

Verb verify_verb() {
  return {"verify", "compare models with numbers recorded from their reference",
          [](CLI::App& app, const Program&) -> Action {
            auto options = std::make_shared<Options>();
            app.add_option("CASE", options->cases, "case folders, or folders that hold some")
                ->required();
            app.add_flag("--json", options->json, "print JSON");
            app.add_flag("--plan", options->plan,
                         "compile each case first and compare what the plan gives");
            app.add_flag("-v,--verbose", options->verbose, "print intermediate tensors too");
            app.footer("Example:\n  saccade verify tests/golden/vit");
            return [options] { return run(*options); };
          }};
}

}  // namespace saccade::cli
