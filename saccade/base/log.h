#pragma once
// What Saccade has to tell while it works. The library never prints: messages go to a callback that
// the caller sets, and nowhere without one. The programs send them to stderr.

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace saccade {

enum class LogLevel { debug, info, warning, error, off };

[[nodiscard]] std::string_view name(LogLevel level);
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view text);

/// Called for one message at a time, from whichever thread reports; must not log itself.
using LogCallback = std::function<void(LogLevel level, std::string_view message)>;

/// Replaces the callback; an empty one silences the library (the default).
void set_log_callback(LogCallback callback);
/// Messages below it are dropped before they are formatted. Default: info.
void set_log_level(LogLevel level);
/// True if a message of that level would reach a callback.
[[nodiscard]] bool logs(LogLevel level);
/// A callback that writes to stderr, with colours on a terminal: info plain, others with the level.
[[nodiscard]] LogCallback stderr_log();

/// Hands a formatted message to the callback.
void log_message(LogLevel level, std::string_view message);

template <class... Args>
void log(LogLevel level, fmt::format_string<Args...> text, Args&&... args) {
  if (logs(level)) log_message(level, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_debug(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::debug, text, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::info, text, std::forward<Args>(args)...);
}
template <class... Args>
void log_warning(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::warning, text, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::error, text, std::forward<Args>(args)...);
}

}  // namespace saccade
