#include "saccade/base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace saccade {
namespace {

using Style = ProgressOptions::Style;

constexpr int64_t kBarWidth = 24;

Style resolve(const ProgressOptions& options) {
  if (options.style != Style::automatic) return options.style;
  return ::isatty(::fileno(options.stream)) == 1 ? Style::bar : Style::lines;
}

std::string bar(int64_t done, int64_t total) {
  const auto share =
      static_cast<double>(std::clamp<int64_t>(done, 0, total)) / static_cast<double>(total);
  const auto filled = static_cast<int64_t>(share * static_cast<double>(kBarWidth));
  std::string text(static_cast<size_t>(filled), '=');
  if (filled < kBarWidth) text += '>';
  text.resize(static_cast<size_t>(kBarWidth), ' ');
  return fmt::format("[{}] ", text);
}

}  // namespace

std::string format_duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::lround(std::clamp(seconds, 0.0, 1e9)));
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

Progress::Progress(std::string label, int64_t total, std::string unit, const Options& options,
                   int64_t start)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      options_(options),
      total_(total),
      start_(start),
      done_(start),
      begin_(Clock::now()),
      drawn_(begin_) {
  options_.style = resolve(options);
}

Progress::~Progress() {
  if (finished_ || options_.style != Style::bar || width_ == 0) return;
  std::fputc('\n', options_.stream);
  std::fflush(options_.stream);
}

void Progress::advance(int64_t count, std::string_view note) {
  done_ += count;
  if (!note.empty()) note_ = note;
  const bool bar = options_.style == Style::bar;
  const double waited = std::chrono::duration<double>(Clock::now() - drawn_).count();
  const bool drawn_before = !bar || width_ > 0;
  if (drawn_before && waited < (bar ? options_.bar_interval : options_.line_interval)) return;
  write(false);
}

void Progress::finish(std::string_view note) {
  if (!note.empty()) note_ = note;
  write(true);
  finished_ = true;
}

void Progress::clear() {
  if (options_.style != Style::bar || width_ == 0) return;
  fmt::print(options_.stream, "\r{:{}}\r", "", width_);
  std::fflush(options_.stream);
  width_ = 0;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count();
}

double Progress::rate() const {
  const double passed = seconds();
  return passed > 0 ? static_cast<double>(done_ - start_) / passed : 0.0;
}

std::string Progress::text(bool last) const {
  std::string line = fmt::format("{:<9} ", label_);
  if (total_ > 0) {
    if (options_.style == Style::bar) line += bar(done_, total_);
    line += fmt::format("{:>{}}/{}", done_, fmt::formatted_size("{}", total_), total_);
  } else {
    line += fmt::format("{}", done_);
  }
  line += fmt::format("  {:.1f} {}/s", rate(), unit_);
  if (last) {
    line += fmt::format("  in {}", format_duration(seconds()));
  } else if (total_ > 0 && rate() > 0) {
    line += fmt::format("  ETA {}", format_duration(static_cast<double>(total_ - done_) / rate()));
  }
  if (!note_.empty()) line += "  " + note_;
  return line;
}

void Progress::write(bool last) {
  drawn_ = Clock::now();
  if (options_.style == Style::silent) return;
  const auto line = text(last);
  if (options_.style == Style::lines) {
    fmt::print(options_.stream, "{}\n", line);
  } else {  // blanks cover what is left of a longer line before
    fmt::print(options_.stream, "\r{:<{}}{}", line, width_, last ? "\n" : "");
    width_ = last ? 0 : line.size();
  }
  std::fflush(options_.stream);
}

}  // namespace saccade
