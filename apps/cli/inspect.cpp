#include <iostream>
#include <memory>

#include "apps/cli/checks.h"
#include "apps/cli/inspection.h"
#include "apps/cli/verb.h"

namespace saccade::cli {
namespace {

struct Options {
  std::string file;
  bool json = false;
  InspectOptions inspect;
};

int run(const Options& options) {
  const auto inspection = inspect(options.file, options.inspect);
  options.json ? write_json(inspection, options.inspect, std::cout)
               : write_text(inspection, options.inspect, std::cout);
  std::cout.flush();
  return 0;
}

}  // namespace

Verb inspect_verb() {
  return {"inspect", "What a file holds: tensors, metadata, configuration, picture",
          [](CLI::App& app, const Program&) -> Action {
            const auto options = std::make_shared<Options>();
            app.add_option("file", options->file,
                           "Checkpoint, shard index or folder, npy, npz, configuration, picture")
                ->required();
            app.add_flag("--hash", options->inspect.hash,
                         "Read everything: check sums, decode pictures, SHA-256 of each tensor");
            app.add_flag("--json", options->json, "Print JSON");
            app.add_option("--max-pixels", options->inspect.max_pixels,
                           "Refuse larger pictures (default 64000000)")
                ->check(above_zero());
            app.footer("Example:\n  saccade inspect model.safetensors --hash");
            return [options] { return run(*options); };
          }};
}

}  // namespace saccade::cli
