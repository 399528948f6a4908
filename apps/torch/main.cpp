// saccade-torch: every verb, with libtorch behind it.

#include "apps/cli/verb.h"
#include "apps/torch/libtorch.h"
#include "apps/torch/opener.h"
#include "apps/torch/tracer.h"
#include "apps/torch/verbs.h"

int main(int argc, char** argv) {
  using namespace saccade::cli;
  Program program;
  program.name = "saccade-torch";
  program.argc = argc;
  program.argv = argv;
  program.open_model = open_eager_model;
  program.trace_model = trace_eager_model;
  program.list_taps = print_taps;
  program.libraries = libtorch_version();
  program.explain = explain_libtorch;
  return run_program(program, all_verbs(torch_verbs()));
}
