#pragma once
// Checks of options' values whose messages a person can read: CLI11's own spell out the largest
// double, and name no option that help hides.

#include <CLI/CLI.hpp>

namespace saccade::cli {

[[nodiscard]] CLI::Validator above_zero();
[[nodiscard]] CLI::Validator not_below_zero();
/// For an option without a place in the help: the message names it.
[[nodiscard]] CLI::Validator whole_number(const std::string& option, int least, int most);

}  // namespace saccade::cli
