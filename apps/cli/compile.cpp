// saccade compile: a model or a raw plan becomes a plan that runs fast.

#include <cmath>
#include <filesystem>

#include "apps/cli/compiled.h"
#include "apps/cli/output.h"
#include "apps/cli/precision.h"
#include "apps/cli/verb.h"
#include "saccade/base/file.h"
#include "saccade/compile/compile.h"
#include "saccade/compile/ir/text.h"
#include "saccade/plan/memory.h"
#include "saccade/runtime/session.h"

namespace saccade::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  ModelArgs model;
  std::string output;
  PrecisionArgs precision;
  std::vector<std::string> skip;
  std::string dump_ir;  ///< folder
  bool verify = true;
  bool timings = false;
  bool json = false;
};

/// Of all sizes.
std::vector<plan::Recording> recordings_of(const plan::Plan& raw) {
  std::vector<plan::Recording> all;
  for (const auto* bucket : buckets(raw))
    all.insert(all.end(), bucket->recordings.begin(), bucket->recordings.end());
  return all;
}

fs::path output_of(const Options& options, const plan::Plan& raw) {
  if (!options.output.empty()) return options.output;
  fs::path name = raw.info.name.empty() ? "model" : fs::path(raw.info.name).filename();
  return name.replace_extension().string() + ".plan";
}

/// Writes 00-trace.txt, 01-fold_constants.txt, ... and the memory map.
class Dump {
 public:
  explicit Dump(fs::path folder) : folder_(std::move(folder)) {
    if (!folder_.empty()) fs::create_directories(folder_);
  }
  void pass(std::string_view name, const plan::Graph& graph) {
    if (folder_.empty()) return;
    write_file_atomically(folder_ / fmt::format("{:02}-{}.txt", number_++, name),
                          compile::print(graph));
  }
  void memory(const plan::Graph& graph) {
    if (folder_.empty()) return;
    const auto name =
        maps_++ == 0 ? std::string("memory.txt") : fmt::format("memory-{}.txt", maps_);
    write_file_atomically(folder_ / name, print(plan::plan_memory(graph), graph));
  }

 private:
  fs::path folder_;
  int number_ = 0, maps_ = 0;
};

/// Largest difference of the plan's answers from the recorded ones, relative to their scale.
double largest_difference(const std::shared_ptr<const runtime::Model>& model,
                          const std::vector<plan::Recording>& recordings) {
  const auto engine = runtime::make_engine(model);
  double largest = 0.0;
  for (const auto& recording : recordings) {
    for (const auto& [name, answer] : engine->run(recording.inputs)) {
      const auto* expected = find(recording.outputs, name);
      if (!expected || expected->shape() != answer.shape()) return HUGE_VAL;
      double scale = 0.0, difference = 0.0;
      const auto a = expected->as<float>(), b = answer.as<float>();
      for (size_t i = 0; i < a.size(); ++i) {
        scale = std::max(scale, std::abs(double{a[i]}));
        difference = std::max(difference, std::abs(double{a[i]} - b[i]));
        if (std::isnan(a[i]) != std::isnan(b[i])) return HUGE_VAL;
      }
      if (scale > 0.0) largest = std::max(largest, difference / scale);
    }
  }
  return largest;
}

int run(const Options& options, const Program& program) {
  if (list_taps(program, options.model)) return 0;
  const auto raw = raw_plan(program, options.model);
  const auto path = output_of(options, raw);
  Dump dump(options.dump_ir);
  compile::CompileOptions how;
  how.skip = {options.skip.begin(), options.skip.end()};
  how.observe = [&](std::string_view pass, const plan::Graph& graph, double seconds) {
    dump.pass(pass, graph);
    if (options.timings)
      fmt::print(stderr, "{:<16} {:>6} values {:>8.1f} ms\n", pass, graph.values.size(),
                 1e3 * seconds);
  };
  auto compiled = compile_in_precision(raw, options.precision, how);
  for (const auto* bucket : buckets(std::as_const(compiled))) dump.memory(bucket->graph);
  const auto values = compiled.graph.values.size();
  const auto model = std::make_shared<const runtime::Model>(std::move(compiled));
  const auto recordings = recordings_of(raw);
  const bool check = options.verify && !recordings.empty();
  const double tolerance = recording_tolerance(model->graph());
  const double difference = check ? largest_difference(model, recordings) : 0.0;
  if (!(difference <= tolerance))
    throw Error(ErrorKind::failed_check,
                fmt::format("{}: the compiled plan's answers differ from the recorded ones by "
                            "{:.2e} of their scale (allowed: {:.2g}); nothing was written. Find "
                            "the pass at fault with --skip",
                            path.string(), difference, tolerance));
  plan::write(model->plan(), path);
  const Json report = {{"file", path.string()},
                       {"name", model->info().name},
                       {"precision", model->info().precision},
                       {"random_weights", model->info().random_weights},
                       {"values", values},
                       {"bytes", fs::file_size(path)},
                       {"sizes", model->sizes()},
                       {"arena_bytes", model->memory().size},
                       {"difference", check ? Json(difference) : Json()},
                       {"tolerance", tolerance},
                       {"report", model->info().report}};
  if (options.json) {
    print_json(report);
    return 0;
  }
  fmt::print("{}: {} ({}{}), {}, {} for each picture while it runs\n", path.string(),
             model->info().name, model->info().precision,
             model->info().random_weights ? ", random weights" : "",
             bytes_text(static_cast<double>(fs::file_size(path))),
             bytes_text(static_cast<double>(model->memory().size)));
  if (check)
    fmt::print("largest difference from the traced model: {:.1e} of its scale (allowed: {:.2g})\n",
               difference, tolerance);
  fmt::print("{}", report_text(model->info().report));
  return 0;
}

}  // namespace

Verb compile_verb() {
  return {"compile", "a model becomes one file that runs without libtorch",
          [](CLI::App& app, const Program& program) -> Action {
            auto options = std::make_shared<Options>();
            app.add_option("model", options->model.model,
                           "Model name, checkpoint, folder, or raw plan of `saccade trace`")
                ->required()
                ->type_name("MODEL");
            add_checkpoint_options(app, options->model.config, options->model.arch);
            add_trace_options(app, options->model);
            app.add_option("-o,--output", options->output, "Plan to write (default NAME.plan)")
                ->type_name("FILE");
            add_precision_options(app, options->precision);
            app.add_option("--skip", options->skip, "Leave out passes, by name")
                ->delimiter(',')
                ->type_name("PASS")
                ->group("");
            app.add_option("--dump-ir", options->dump_ir, "Folder for the graph after every pass")
                ->type_name("DIR");
            app.add_flag("--timings", options->timings, "Say how long each pass takes")->group("");
            app.add_flag("--verify", options->verify)->group("");  // the default
            app.add_flag("!--no-verify", options->verify,
                         "Do not compare with the recorded answers");
            app.add_flag("--json", options->json, "Print JSON");
            app.footer("Example:\n  saccade compile vit_base_patch16_224/ -o vit.plan");
            options->model.needs_weights = false;
            return [options, &program] { return run(*options, program); };
          }};
}

}  // namespace saccade::cli
