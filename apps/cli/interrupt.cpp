#include "apps/cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "saccade/base/error.h"

namespace saccade::cli {
namespace {

std::atomic<bool> finish_step_first{false};
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "used in a signal handler");

extern "C" void on_signal(int) {
  if (finish_step_first && !stop_asked.exchange(true)) return;
  _exit(exit_code(ErrorKind::interrupted));
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction inherited {};
    sigaction(number, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
  action.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &action, nullptr);
}

FinishStepFirst::FinishStepFirst() {
  stop_asked = false;
  finish_step_first = true;
}

FinishStepFirst::~FinishStepFirst() { finish_step_first = false; }

bool FinishStepFirst::stop_requested() { return stop_asked; }

}  // namespace saccade::cli
