#include "apps/cli/precision.h"

#include <algorithm>
#include <memory>

#include "apps/cli/checks.h"
#include "apps/cli/output.h"
#include "saccade/base/error.h"
#include "saccade/base/progress.h"
#include "saccade/runtime/peak.h"

namespace saccade::cli {
namespace {

constexpr double kToleranceFp32 = 1e-4, kToleranceBf16 = 0.05, kToleranceInt8 = 0.25;

std::string ms_text(const Json& ms) {
  return ms.is_number() ? fmt::format("{:.3f}", ms.get<double>()) : "";
}

std::string error_text(const Json& error) {
  return error.is_number() ? fmt::format("{:.2g} %", 100.0 * error.get<double>()) : "";
}

/// The precisions for which some layer has a number of that kind ("ms", "error").
std::vector<std::string> measured(const Json& rows, const char* kind) {
  std::vector<std::string> out;
  for (const auto* precision : {"fp32", "bf16", "int8"})
    if (std::ranges::any_of(rows,
                            [&](const Json& row) { return row.at(kind).contains(precision); }))
      out.emplace_back(precision);
  return out;
}

/// True for what is as low as its operator goes.
bool has_no_lower(const Json& row) {
  const auto& name = row.at("operator").get_ref<const std::string&>();
  return row.at("reason") == fmt::format("{} has no int8", name) && row.at("precision") == "bf16";
}

Table layer_table(const Json& rows) {
  const auto timed = measured(rows, "ms");
  auto judged = measured(rows, "error");
  std::erase(judged, "fp32");
  std::vector<Table::Column> columns = {{"layer"}, {"operator"}, {"stays"}};
  for (const auto& p : timed) columns.push_back({p + " ms", Align::right});
  for (const auto& p : judged) columns.push_back({p + " error", Align::right});
  columns.push_back({"because"});
  Table table(columns);
  for (const auto& row : rows) {
    if (!row.contains("reason") || has_no_lower(row)) continue;
    std::vector<std::string> cells = {row.at("path").get<std::string>(),
                                      row.at("operator").get<std::string>(),
                                      row.at("precision").get<std::string>()};
    for (const auto& p : timed) cells.push_back(ms_text(row.at("ms").value(p, Json())));
    for (const auto& p : judged) cells.push_back(error_text(row.at("error").value(p, Json())));
    cells.push_back(row.at("reason").get<std::string>());
    table.add(cells);
  }
  return table;
}

std::string comparison_text(const Json& report) {
  if (!report.contains("comparison")) return "accuracy was not measured (no --calibrate)\n";
  const auto& c = report.at("comparison");
  const auto error = error_text(c.at("output_error"));
  const auto where = fmt::format("{} pictures of {}", c.at("pictures").get<int64_t>(),
                                 report.at("calibration").get<std::string>());
  if (c.at("top1").is_null()) return fmt::format("output error {} on {}\n", error, where);
  return fmt::format("top-1 {:.2f} % instead of {:.2f} %, output error {}, on {}\n",
                     100.0 * c.at("top1").get<double>(), 100.0 * c.at("top1_fp32").get<double>(),
                     error, where);
}

}  // namespace

void add_precision_options(CLI::App& app, PrecisionArgs& args) {
  app.add_option("--precision", args.precision, "Lowest arithmetic: fp32 (default), bf16, int8")
      ->check([](const std::string& text) {  // IsMember would fill the help's left column
        return tune::parse_precision(text) ? "" : text + " is none of fp32, bf16, int8";
      })
      ->default_str("")
      ->type_name("NAME");
  app.add_option("--calibrate", args.calibrate,
                 "Pictures to measure on, with or without labels (int8 needs them)")
      ->type_name("PATH");
  app.add_option("--pictures", args.pictures, "Use at most so many of them")
      ->check(above_zero())
      ->type_name("N");
  app.add_option("--budget", args.budget,
                 "Largest loss: points of top-1, or without labels percent of output")
      ->check(not_below_zero())
      ->type_name("POINTS");
  app.add_flag("--no-measure", args.no_measure, "Lower every layer, faster so here or not");
}

plan::Plan compile_in_precision(const plan::Plan& raw, const PrecisionArgs& args,
                                const compile::CompileOptions& how) {
  const auto precision = *tune::parse_precision(args.precision);
  if (precision == tune::Precision::fp32) {
    if (!args.calibrate.empty() || args.budget)
      throw usage_error("--calibrate and --budget belong to --precision bf16 or int8");
    return compile::compile(raw, how);
  }
  tune::TuneOptions options;
  options.precision = precision;
  options.budget = args.budget;
  options.measure = !args.no_measure;
  if (!args.calibrate.empty())
    options.pictures = std::make_shared<tune::Pictures>(args.calibrate, raw, args.pictures);
  std::unique_ptr<Progress> progress;
  std::string shown;
  options.on_pictures = [&](std::string_view step, int64_t pictures) {
    if (step != shown) {
      if (progress) progress->finish();
      progress = std::make_unique<Progress>(std::string(step), 0, "pictures");
      shown = step;
    }
    progress->advance(pictures);
  };
  return tune::tune(raw, options, how);
}

double recording_tolerance(const plan::Graph& graph) {
  const auto found = compile::precisions_of(graph);
  switch (found.empty() ? tune::Precision::fp32 : *found.rbegin()) {
    case tune::Precision::fp32: return kToleranceFp32;
    case tune::Precision::bf16: return kToleranceBf16;
    case tune::Precision::int8: return kToleranceInt8;
  }
  return kToleranceFp32;
}

std::string report_text(const Json& report) try {
  if (!report.contains("layers") || !report.contains("counts")) return "";
  std::string counts;
  for (const auto& [kind, count] : report.at("counts").items())
    if (count != 0)
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count.get<int64_t>(), kind);
  auto text = fmt::format("products: {}\n", counts) + comparison_text(report);
  if (const auto& ms = report.at("ms"); ms.at("plan").is_number())
    text += fmt::format("one picture: {:.2f} ms instead of {:.2f} ms with {} threads\n",
                        ms.at("plan").get<double>(), ms.at("fp32").get<double>(),
                        report.at("threads").get<int64_t>());
  int64_t listed = 0, lowest = 0;
  for (const auto& row : report.at("layers"))
    if (row.contains("reason")) ++(has_no_lower(row) ? lowest : listed);
  if (lowest > 0) text += fmt::format("{} products in bf16 because they have no int8\n", lowest);
  if (listed > 0) text += "stayed higher:\n" + layer_table(report.at("layers")).text();
  return text;
} catch (const Json::exception&) {
  return "";  // a report that somebody else wrote
}

std::string precision_here(const plan::Plan& plan) {
  const bool half = compile::precisions_of(plan.graph).contains(tune::Precision::bf16);
  if (!half || runtime::arithmetic().computes_bf16) return plan.info.precision;
  return plan.info.precision == "bf16"
             ? "bf16 storage, fp32 arithmetic"
             : fmt::format("{}, bf16 storage, fp32 arithmetic", plan.info.precision);
}

}  // namespace saccade::cli
