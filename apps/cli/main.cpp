// saccade: the verbs that need no libtorch; the others are handed to saccade-torch.

#include "apps/cli/verb.h"

int main(int argc, char** argv) {
  saccade::cli::Program program;
  program.name = "saccade";
  program.argc = argc;
  program.argv = argv;
  return saccade::cli::run_program(program, saccade::cli::all_verbs());
}
