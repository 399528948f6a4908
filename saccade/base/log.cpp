#include "saccade/base/log.h"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace saccade {
namespace {

constexpr std::array<std::string_view, 5> kNames{"debug", "info", "warning", "error", "off"};

std::atomic<LogLevel> threshold{LogLevel::info};
std::atomic<bool> has_callback{false};
std::mutex callback_mutex;
LogCallback& callback() {  // guarded by callback_mutex
  static LogCallback instance;
  return instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::off;
}

}  // namespace

std::string_view name(LogLevel level) { return kNames[static_cast<size_t>(level)]; }

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == text) return static_cast<LogLevel>(i);
  return std::nullopt;
}

void set_log_callback(LogCallback new_callback) {
  const std::lock_guard lock(callback_mutex);
  has_callback = static_cast<bool>(new_callback);
  callback() = std::move(new_callback);
}

void set_log_level(LogLevel level) { threshold = level; }

bool logs(LogLevel level) {
  return level != LogLevel::off && level >= threshold.load() && has_callback.load();
}

void log_message(LogLevel level, std::string_view message) {
  const std::lock_guard lock(callback_mutex);
  if (callback()) callback()(level, message);
}

LogCallback stderr_log() {
  // A logger of our own, not registered: the caller's spdlog stays as it is.
  auto logger = std::make_shared<spdlog::logger>(
      "saccade", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_level(spdlog::level::trace);
  return [logger](LogLevel level, std::string_view message) {
    logger->set_pattern(level == LogLevel::info ? "%v" : "%^%l:%$ %v");
    logger->log(spdlog_level(level), "{}", message);
  };
}

}  // namespace saccade
