#include "apps/cli/checks.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace saccade::cli {
namespace {

CLI::Validator finite_number(std::string_view wanted, bool (*fits)(double)) {
  return {[wanted, fits](std::string& text) {
            double value = 0;
            const bool read = CLI::detail::lexical_cast(text, value) && std::isfinite(value);
            return read && fits(value) ? "" : fmt::format("\"{}\" is no number {}", text, wanted);
          },
          ""};
}

}  // namespace

CLI::Validator above_zero() {
  return finite_number("above 0", [](double value) { return value > 0; });
}

CLI::Validator not_below_zero() {
  return finite_number("from 0 on", [](double value) { return value >= 0; });
}

CLI::Validator whole_number(const std::string& option, int least, int most) {
  return {
      [=](std::string& text) {
        int value = 0;
        const char* end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, value);
        const bool fits = error == std::errc() && rest == end && value >= least && value <= most;
        return fits ? "" : fmt::format("{} takes {} to {}, not \"{}\"", option, least, most, text);
      },
      ""};
}

}  // namespace saccade::cli
