#pragma once
// "did you mean": the nearest known names.

#include <span>
#include <string>
#include <string_view>

namespace saccade {

/// "" if nothing is near, else "; did you mean "x"?" for the nearest name by edit distance.
[[nodiscard]] std::string did_you_mean(std::string_view asked, std::span<const std::string> known);

}  // namespace saccade
