#pragma once
// SIGINT and SIGTERM: a verb stops at once with exit code 130, unless it has asked to finish its
// step first.

namespace saccade::cli {

/// Installs the handlers of this process, except for signals that whoever started it wants ignored
/// (nohup, background jobs of scripts), and gives SIGPIPE its default (a reader that has gone
/// ends the program without a word). Called once, by run_program.
void install_signal_handlers();

/// While it lives, the first SIGINT or SIGTERM only sets a flag that the verb looks at between
/// steps; the second one stops the program at once. One at a time.
class FinishStepFirst {
 public:
  FinishStepFirst();
  ~FinishStepFirst();
  FinishStepFirst(const FinishStepFirst&) = delete;
  FinishStepFirst& operator=(const FinishStepFirst&) = delete;

  /// Safe to call from any thread.
  [[nodiscard]] static bool stop_requested();
};

}  // namespace saccade::cli
