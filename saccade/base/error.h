#pragma once
// The three kinds of error (ARCHITECTURE.md, "Errors"): what a user can mend (Error), a bug of ours
// (InternalError, from SACCADE_CHECK in check.h), and what the machine refused (Error, resources).

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace saccade {

/// Why a command stops; each kind has one exit code.
enum class ErrorKind {
  failed_check,   ///< 1: a comparison that was asked for does not hold
  usage,          ///< 2: a flag, a name or a combination that makes no sense
  bad_input,      ///< 3: a file or a message is malformed
  not_supported,  ///< 4: well-formed, but not something Saccade does
  resources,      ///< 5: memory, disk or another limit of the machine or the budget
  interrupted,    ///< 130: SIGINT or SIGTERM
};

[[nodiscard]] int exit_code(ErrorKind kind);

/// A condition the caller can mend. The message says file, position, reason and the next step.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// A broken invariant inside Saccade; carries the source position.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

template <class... Args>
[[nodiscard]] Error usage_error(fmt::format_string<Args...> text, Args&&... args) {
  return {ErrorKind::usage, fmt::format(text, std::forward<Args>(args)...)};
}

template <class... Args>
[[nodiscard]] Error unsupported_error(fmt::format_string<Args...> text, Args&&... args) {
  return {ErrorKind::not_supported, fmt::format(text, std::forward<Args>(args)...)};
}

template <class... Args>
[[nodiscard]] Error resource_error(fmt::format_string<Args...> text, Args&&... args) {
  return {ErrorKind::resources, fmt::format(text, std::forward<Args>(args)...)};
}

/// `file: reason`
template <class... Args>
[[nodiscard]] Error input_error(std::string_view file, fmt::format_string<Args...> text,
                                Args&&... args) {
  return {ErrorKind::bad_input,
          fmt::format("{}: {}", file, fmt::format(text, std::forward<Args>(args)...))};
}

/// `file: at byte N: reason`
template <class... Args>
[[nodiscard]] Error input_error_at(std::string_view file, uint64_t offset,
                                   fmt::format_string<Args...> text, Args&&... args) {
  return {ErrorKind::bad_input, fmt::format("{}: at byte {}: {}", file, offset,
                                            fmt::format(text, std::forward<Args>(args)...))};
}

}  // namespace saccade
