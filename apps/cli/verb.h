#pragma once
// One verb = one file. A verb adds its options to a CLI11 subcommand and returns what runs it.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "saccade/base/engine.h"
#include "saccade/base/error.h"
#include "saccade/base/pipeline.h"
#include "saccade/plan/plan.h"

namespace saccade::cli {

/// A model ready for a task verb: what `-m` and its companions resolve to.
struct OpenedModel {
  std::shared_ptr<Engine> engine;
  Pipeline pipeline;
  std::vector<std::string> labels;  ///< one per class, or empty
  std::string name;                 ///< for messages and reports
  std::string precision = "fp32";
  bool random_weights = false;
};

/// What `-m` and the options beside it say.
struct ModelArgs {
  std::string model;   ///< NAME, FILE or FOLDER; empty: the bundled default model
  std::string config;  ///< --config FILE
  std::string arch;    ///< --arch NAME
  bool needs_weights = true;
  plan::Residence residence = plan::Residence::mapped;  ///< --mmap, --no-mmap
  std::string size;                ///< --size HxW: of the pictures; empty: the model's own
  std::vector<std::string> sizes;  ///< --sizes HxW,...: all in one plan, the first its default
  std::vector<std::string> taps;   ///< --taps NAME,...: intermediate results that become outputs
};

/// The program that runs a verb: `saccade` has no opener and hands such requests to
/// `saccade-torch`.
struct Program {
  std::string_view name;
  int argc = 0;
  char** argv = nullptr;
  /// Null in the lean program.
  std::function<OpenedModel(const ModelArgs&)> open_model;
  /// A model as a raw plan. Null in the lean program.
  std::function<plan::Plan(const ModelArgs&)> trace_model = {};
  /// Prints what --taps may name. Null in the lean program.
  std::function<void(const ModelArgs&)> list_taps = {};
  /// Versions behind `--version`, for instance "libtorch 2.13.0"; empty in the lean program.
  std::string libraries;
  /// What an exception of another library means to the user; empty where it means a bug of ours.
  std::function<std::optional<Error>(const std::exception&)> explain;
};

/// What runs after parsing: the exit code.
using Action = std::function<int()>;

struct Verb {
  std::string_view name;
  std::string_view summary;  ///< one line of `saccade --help`
  /// Adds options; the returned action runs if the verb was chosen. Options live in the closure.
  std::function<Action(CLI::App& app, const Program& program)> add;
  std::string_view group = {};  ///< heading in `saccade --help`, set by the table in verbs.cpp
};

/// Parses, runs, prints errors to stderr, returns the exit code. The `main` of both programs.
/// Every option of a verb can also be given by a configuration file and by an environment variable
/// (settings.h); --config-file, --threads and --log-level are added to every verb.
[[nodiscard]] int run_program(const Program& program, std::span<const Verb> verbs);

/// Adds -m/--model, --config, --arch, --[no-]mmap and --size to a verb.
void add_model_options(CLI::App& app, ModelArgs& args);
/// --size HxW: pictures of another size than the model's own.
void add_size_option(CLI::App& app, ModelArgs& args);
/// --sizes and --taps, for verbs that trace a model.
void add_trace_options(CLI::App& app, ModelArgs& args);
/// Those of them that say what a bare checkpoint is: --config and --arch.
void add_checkpoint_options(CLI::App& app, std::string& config, std::string& arch);
/// --mmap and --no-mmap, for verbs that run plans.
void add_map_option(CLI::App& app, ModelArgs& args);
/// Opens the model here, or replaces this process by `saccade-torch` with the same arguments; says
/// how to get it if it is absent (Error, not_supported).
[[nodiscard]] OpenedModel open_model(const Program& program, const ModelArgs& args);

/// The verbs, one per file of this folder; verbs.cpp has the table.
[[nodiscard]] Verb bench_verb();
[[nodiscard]] Verb classify_verb();
[[nodiscard]] Verb compile_verb();
[[nodiscard]] Verb doctor_verb();
[[nodiscard]] Verb eval_verb();
[[nodiscard]] Verb inspect_verb();
[[nodiscard]] Verb metric_verb();
[[nodiscard]] Verb models_verb();
[[nodiscard]] Verb preprocess_verb();
[[nodiscard]] Verb profile_verb();
/// A verb that only `saccade-torch` has: shown in the help, handed over when used.
[[nodiscard]] Verb handed_over(std::string_view name, std::string_view summary);
/// The table of `saccade`: every verb, sorted by name; those of apps/torch are handed over.
[[nodiscard]] std::vector<Verb> all_verbs();
/// The same for `saccade-torch`: `own` in the place of the handed-over ones.
[[nodiscard]] std::vector<Verb> all_verbs(std::span<const Verb> own);

}  // namespace saccade::cli
