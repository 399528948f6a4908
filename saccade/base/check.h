#pragma once
// SACCADE_CHECK(condition, "text {}", values...): an invariant of our own code. Never for input of
// a user or a file (error.h); never compiled out.

#include "saccade/base/error.h"

namespace saccade::detail {
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& message);
}

#define SACCADE_CHECK(condition, ...)                                                              \
  do {                                                                                             \
    if (!(condition)) [[unlikely]]                                                                 \
      ::saccade::detail::check_failed(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)); \
  } while (false)
