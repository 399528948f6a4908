#pragma once
// Progress of a long command on stderr: a bar that is redrawn on a terminal, a plain line now and
// then elsewhere (a log file, a pipe).

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace saccade {

/// "1:02:03", "2:03" (minutes and seconds)
[[nodiscard]] std::string format_duration(double seconds);

/// Where and how often a Progress writes.
struct ProgressOptions {
  std::FILE* stream = stderr;
  enum class Style { automatic, bar, lines, silent } style = Style::automatic;
  double bar_interval = 0.1;    ///< seconds between two drawings of the bar
  double line_interval = 10.0;  ///< seconds between two plain lines
};

/// One counted piece of work, for instance
///   eval      [=========>          ]  4800/10000  312.5 images/s  ETA 0:16  top1 81.2 %
/// Belongs to one thread.
class Progress {
 public:
  using Options = ProgressOptions;

  /// `total` 0: unknown, no bar and no ETA. `start` items were done before (a resumed epoch): they
  /// fill the bar and do not count for the rate.
  Progress(std::string label, int64_t total, std::string unit = "images",
           const Options& options = {}, int64_t start = 0);
  /// Ends the line; says nothing if `finish` was called.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `count` more items are done; `note` stands at the end of the line ("loss 2.31"), and stays
  /// until another comes.
  void advance(int64_t count, std::string_view note = {});
  /// Writes the last state, with the time it took instead of the ETA.
  void finish(std::string_view note = {});
  /// Takes the bar off the terminal, so that another message can be written there; the next
  /// `advance` draws it again.
  void clear();

  /// Items per second since the start.
  [[nodiscard]] double rate() const;
  [[nodiscard]] double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::string text(bool last) const;
  void write(bool last);

  std::string label_, unit_, note_;
  Options options_;
  int64_t total_, start_, done_;
  Clock::time_point begin_, drawn_;
  size_t width_ = 0;  ///< characters that the bar's line holds on the terminal
  bool finished_ = false;
};

}  // namespace saccade
