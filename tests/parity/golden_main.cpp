// saccade-golden DIR...: runs every golden case below the folders and prints a line for each
// system. Exit code 0 exactly when nothing failed and something passed.

#include <cstdio>
#include <map>

#include <fmt/format.h>

#include "saccade/base/error.h"
#include "tests/parity/golden.h"

namespace saccade::parity {
namespace {

// SACCADE_GOLDEN_RUNNERS comes from tests/CMakeLists.txt: those whose files this build has.
const std::vector<Runner> kRunners{SACCADE_GOLDEN_RUNNERS};

Outcome run(const Case& c) {
  if (!c.problem.empty()) return {Status::failed, c.problem};
  try {
    for (const Runner& runner : kRunners)
      if (auto outcome = runner(c)) return *outcome;
  } catch (const Error& error) {
    const bool unsupported = error.kind() == ErrorKind::not_supported;
    return {unsupported ? Status::unsupported : Status::failed, error.what()};
  } catch (const std::exception& error) {
    return {Status::failed, error.what()};
  }
  return {Status::unsupported, fmt::format("no runner for {} of kind '{}'", c.model, c.kind)};
}

struct Counts {
  int passed = 0, failed = 0, unsupported = 0;

  void add(Status status) {
    if (status == Status::passed) ++passed;
    if (status == Status::failed) ++failed;
    if (status == Status::unsupported) ++unsupported;
  }
};

int run_all(const std::vector<std::filesystem::path>& roots, bool verbose) {
  std::map<std::string, Counts> systems;
  Counts total;
  for (const auto& root : roots) {
    for (const Case& c : discover(root)) {
      const Outcome outcome = run(c);
      systems[c.system].add(outcome.status);
      total.add(outcome.status);
      if (outcome.status == Status::failed)
        fmt::print("FAILED {}: {}\n", c.folder.string(), outcome.detail);
      else if (verbose)
        fmt::print("{} {}{}{}\n", outcome.status == Status::passed ? "passed" : "not supported",
                   c.folder.string(), outcome.detail.empty() ? "" : ": ", outcome.detail);
      std::fflush(stdout);
    }
  }
  for (const auto& [system, counts] : systems)
    fmt::print("{:<22} {:>5} passed {:>5} failed {:>5} not supported\n", system, counts.passed,
               counts.failed, counts.unsupported);
  fmt::print("{} passed, {} failed, {} not supported\n", total.passed, total.failed,
             total.unsupported);
  return total.failed == 0 && total.passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace saccade::parity

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> roots;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--verbose")
      verbose = true;
    else
      roots.emplace_back(argv[i]);
  }
  if (roots.empty()) {
    fmt::print(stderr, "usage: saccade-golden [--verbose] DIR...\n");
    return 2;
  }
  try {
    return saccade::parity::run_all(roots, verbose);
  } catch (const saccade::Error& error) {
    fmt::print(stderr, "saccade-golden: {}\n", error.what());
    return saccade::exit_code(error.kind());
  }
}
