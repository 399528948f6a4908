#pragma once
// What the command line needs to know of libtorch itself.

#include <exception>
#include <optional>
#include <string>

#include "saccade/base/error.h"

namespace saccade::cli {

/// "libtorch 2.13.0"
[[nodiscard]] std::string libtorch_version();

/// An exception of libtorch that is no bug of ours: out of memory on the host or a device.
[[nodiscard]] std::optional<Error> explain_libtorch(const std::exception& exception);

}  // namespace saccade::cli
