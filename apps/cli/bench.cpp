// saccade bench: how long a plan takes, operator by operator, and how much of the machine it uses.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>

#include "apps/cli/checks.h"
#include "apps/cli/compiled.h"
#include "apps/cli/output.h"
#include "apps/cli/plan_opener.h"
#include "apps/cli/precision.h"
#include "apps/cli/verb.h"
#include "saccade/base/thread_pool.h"
#include "saccade/compile/passes/assign_precision.h"
#include "saccade/plan/cost.h"
#include "saccade/runtime/peak.h"
#include "saccade/runtime/session.h"

namespace saccade::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  ModelArgs model;
  int64_t batch = 1;
  double seconds = 3.0;
  std::string instructions;
  bool json = false;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Resident memory of this process in MiB; 0 where the kernel does not say.
double resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kib = 0; word == "VmRSS:" && status >> kib) return kib / 1024.0;
  return 0.0;
}

struct Measured {
  std::vector<double> runs;  ///< seconds, sorted
  double start = 0;          ///< from opening the file to the first answer, seconds
  double rss = 0;            ///< MiB

  [[nodiscard]] double at(double share) const {
    return runs[static_cast<size_t>(share * static_cast<double>(runs.size() - 1))];
  }
};

Measured measure(runtime::Session& session, const Options& options, size_t size,
                 Clock::time_point opened) {
  Measured measured;
  session.prepare(options.batch, size);
  fill_with_noise(session);
  session.run();
  measured.start = seconds_since(opened);
  session.run();  // caches and threads are warm
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    session.run();
    measured.runs.push_back(seconds_since(start));
  } while (seconds_since(begin) < options.seconds);
  measured.rss = resident_mib();
  std::ranges::sort(measured.runs);
  return measured;
}

struct Row {
  int64_t count = 0;
  double seconds = 0, operations = 0;
  double floor = 0;  ///< seconds at the machine's peak
};

/// Time by operator and kernel, from a session that profiles.
std::map<std::string, Row> by_operator(const std::shared_ptr<const runtime::Model>& model,
                                       const Options& options, size_t size,
                                       const runtime::Peak& peak) {
  runtime::Session session(model, {.profile = true});
  session.prepare(options.batch, size);
  fill_with_noise(session);
  session.run();
  session.reset_times();
  constexpr int kRuns = 3;
  for (int i = 0; i < kRuns; ++i) session.run();
  std::map<std::string, Row> rows;
  for (const auto& step : session.times()) {
    const auto& node = session.graph().value(step.value);
    auto name = std::string(ops::info(node.op).name);
    if (name != step.kernel) name += fmt::format(" ({})", step.kernel);
    auto& row = rows[name];
    ++row.count;
    row.seconds += step.seconds / kRuns;
    const double done = operations(session.graph(), step.value, options.batch);
    row.operations += done;
    row.floor += 1e-9 * done / peak.of(precision_of(node));
  }
  return rows;
}

/// What the plan's products run on here: "AVX3, AVX512-BF16".
std::string instructions_of(const plan::Graph& graph) {
  const auto arithmetic = runtime::arithmetic();
  std::string names;
  for (const auto precision : compile::precisions_of(graph)) {
    if (!names.empty()) names += ", ";
    names += precision == ops::Precision::fp32   ? arithmetic.fp32
             : precision == ops::Precision::bf16 ? arithmetic.bf16
                                                 : arithmetic.int8;
  }
  return names.empty() ? arithmetic.fp32 : names;
}

void print_rows(const std::map<std::string, Row>& rows) {
  std::vector<std::pair<std::string, Row>> sorted(rows.begin(), rows.end());
  std::ranges::sort(sorted, std::greater{}, [](const auto& item) { return item.second.seconds; });
  Table table({{"operator"},
               {"times", Align::right},
               {"ms", Align::right},
               {"GFLOP/s", Align::right},
               {"% of peak", Align::right}});
  for (const auto& [name, row] : sorted) {
    const bool counts = row.operations > 0;
    table.add({name, fmt::format("{}", row.count), fmt::format("{:.3f}", 1e3 * row.seconds),
               counts ? fmt::format("{:.1f}", 1e-9 * row.operations / row.seconds) : "",
               counts ? fmt::format("{:.0f}", 100 * row.floor / row.seconds) : ""});
  }
  fmt::print("\n{}", table.text());
}

int run(const Options& options, const Program& program) {
  if (!options.instructions.empty()) runtime::restrict_instructions(options.instructions);
  const auto opened = Clock::now();
  const auto model = std::make_shared<const runtime::Model>(compiled_plan(program, options.model));
  runtime::Session session(model);
  const size_t size = size_of(*model, options.model.size);
  const auto measured = measure(session, options, size, opened);
  const auto rows = by_operator(model, options, size, runtime::measure_peak(thread_count()));
  double total = 0, floor = 0;
  for (const auto& [name, row] : rows) {
    total += row.operations;
    floor += row.floor;
  }
  const double best = measured.runs.front(), gflops = 1e-9 * total / best;
  const double peak = floor > 0 ? 1e-9 * total / floor : 0.0, share = floor / best;
  const auto instructions = instructions_of(session.graph());
  const auto ms = [&](double seconds) { return 1e3 * seconds; };
  Json report = {{"name", model->info().name},
                 {"ms",
                  {{"min", ms(measured.runs.front())},
                   {"p50", ms(measured.at(0.5))},
                   {"p90", ms(measured.at(0.9))},
                   {"p99", ms(measured.at(0.99))}}},
                 {"gflops", gflops},
                 {"peak_share", share},
                 {"peak_gflops", peak},
                 {"instructions", instructions},
                 {"rss_mb", measured.rss},
                 {"start_ms", ms(measured.start)},
                 {"threads", thread_count()},
                 {"batch", options.batch},
                 {"input", to_string(session.graph().value(model->inputs(size).at(0)).type)},
                 {"runs", measured.runs.size()},
                 {"precision", precision_here(model->plan())},
                 {"random_weights", model->info().random_weights},
                 {"operators", Json::array()}};
  for (const auto& [name, row] : rows)
    report["operators"].push_back({{"name", name},
                                   {"count", row.count},
                                   {"ms", ms(row.seconds)},
                                   {"gflop", 1e-9 * row.operations}});
  if (options.json) {
    print_json(report);
    return 0;
  }
  fmt::print("{} ({}{}), batch {}, {} threads, {}\n", model->info().name,
             precision_here(model->plan()), model->info().random_weights ? ", random weights" : "",
             options.batch, thread_count(), instructions);
  fmt::print("min {:.2f} ms, p50 {:.2f}, p90 {:.2f}, p99 {:.2f} of {} runs\n",
             ms(measured.runs.front()), ms(measured.at(0.5)), ms(measured.at(0.9)),
             ms(measured.at(0.99)), measured.runs.size());
  fmt::print(
      "{:.1f} GFLOP/s, {:.0f} % of this machine's {:.0f}; {:.0f} MiB resident; first answer "
      "after {:.0f} ms\n",
      gflops, 100 * share, peak, measured.rss, ms(measured.start));
  print_rows(rows);
  return 0;
}

}  // namespace

Verb bench_verb() {
  return {
      "bench", "how fast a plan runs here, operator by operator",
      [](CLI::App& app, const Program& program) -> Action {
        auto options = std::make_shared<Options>();
        app.add_option("model", options->model.model, "Plan, or a model to trace and compile")
            ->required()
            ->type_name("PLAN");
        add_checkpoint_options(app, options->model.config, options->model.arch);
        options->model.residence = plan::Residence::automatic;
        add_map_option(app, options->model);
        add_size_option(app, options->model);
        app.add_option("--batch", options->batch, "Pictures at once")->check(CLI::Range(1, 65536));
        app.add_option("--seconds", options->seconds, "How long to measure")->check(above_zero());
        app.add_option("--instructions", options->instructions,
                       "Go without better ones: avx2, sse4, ssse3")
            ->type_name("SET");
        app.add_flag("--json", options->json, "Print JSON");
        app.footer("Example:\n  saccade bench vit.plan --threads 2 --batch 8");
        options->model.needs_weights = false;
        return [options, &program] { return run(*options, program); };
      }};
}

}  // namespace saccade::cli
