// saccade trace: a model becomes a raw plan, which any machine can compile without libtorch.

#include <filesystem>

#include "apps/cli/compiled.h"
#include "apps/cli/output.h"
#include "apps/torch/tracer.h"
#include "apps/torch/verbs.h"

namespace saccade::cli {
namespace {

struct Options {
  ModelArgs model;
  std::string output;
};

int run(const Options& options, const Program& program) {
  if (list_taps(program, options.model)) return 0;
  if (options.output.empty()) throw usage_error("name the plan to write with -o FILE");
  const auto raw = trace_eager_model(options.model);
  const std::filesystem::path path = options.output;
  plan::write(raw, path);
  fmt::print("{}: {}{}, {} values, {}\n", path.string(), raw.info.name,
             raw.info.random_weights ? " (random weights)" : "", raw.graph.values.size(),
             bytes_text(static_cast<double>(std::filesystem::file_size(path))));
  return 0;
}

}  // namespace

Verb trace_verb() {
  return {"trace", "record a model as a raw plan, to be compiled anywhere",
          [](CLI::App& app, const Program& program) -> Action {
            auto options = std::make_shared<Options>();
            app.add_option("model", options->model.model, "Model name, checkpoint or folder")
                ->required()
                ->type_name("MODEL");
            add_checkpoint_options(app, options->model.config, options->model.arch);
            add_trace_options(app, options->model);
            app.add_option("-o,--output", options->output, "Raw plan to write")->type_name("FILE");
            app.footer("Example:\n  saccade trace deit_tiny_patch16_224/ -o deit.raw.plan");
            return [options, &program] { return run(*options, program); };
          }};
}

}  // namespace saccade::cli
