#include <iostream>
#include <memory>

#include "apps/cli/inspection.h"
#include "apps/cli/verb.h"
#include "saccade/base/error.h"

namespace saccade::cli {
namespace {

struct Options {
  std::string file;
  bool json = false;
  InspectOptions inspect;
};

/// Every file that cannot be listed is a bad input here, whatever a reader calls it.
int run(const Options& options) try {
  const auto inspection = inspect(options.file, options.inspect);
  options.json ? write_json(inspection, options.inspect, std::cout)
               : write_text(inspection, options.inspect, std::cout);
  std::cout.flush();
  return 0;
} catch (const Error& error) {
  if (error.kind() != ErrorKind::not_supported && error.kind() != ErrorKind::resources) throw;
  throw Error(ErrorKind::bad_input, error.what());
} catch (const std::bad_alloc&) {
  throw input_error(options.file, "takes more memory than there is");
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
                ->check(CLI::PositiveNumber);
            app.footer("Example:\n  saccade inspect model.safetensors --hash");
            return [options] { return run(*options); };
          }};
}

}  // namespace saccade::cli
