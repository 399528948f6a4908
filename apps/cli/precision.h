#pragma once
// --precision and its companions of `saccade compile`, and what is said about the outcome.

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "saccade/base/json.h"
#include "saccade/tune/tune.h"

namespace saccade::cli {

struct PrecisionArgs {
  std::string precision = "fp32";
  std::string calibrate;         ///< pictures
  int64_t pictures = 512;        ///< at most so many of them
  std::optional<double> budget;  ///< points
  bool no_measure = false;
};

void add_precision_options(CLI::App& app, PrecisionArgs& args);

/// compile::compile for fp32, tune::tune below. Throws Error: usage for options that do not fit.
[[nodiscard]] plan::Plan compile_in_precision(const plan::Plan& raw, const PrecisionArgs& args,
                                              const compile::CompileOptions& how);

/// What a plan may differ from its recording, relative to the output's largest number.
[[nodiscard]] double recording_tolerance(const plan::Graph& graph);

/// A few lines about a plan's report, with a table of the layers that stayed higher than asked for;
/// empty for a report of fp32, and for one that is not ours.
[[nodiscard]] std::string report_text(const Json& report);

/// Info::precision, and what this machine makes of it where it has no bf16 arithmetic: "bf16
/// storage, fp32 arithmetic".
[[nodiscard]] std::string precision_here(const plan::Plan& plan);

}  // namespace saccade::cli
