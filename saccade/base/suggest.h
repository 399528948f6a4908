#pragma once
// "Did you mean": the known names that are close to one that was not found.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace saccade {

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal
/// string alignment), without regard to case.
[[nodiscard]] size_t edit_distance(std::string_view a, std::string_view b);

/// The known names closest to `given`, at most three, best first; empty if none is near.
[[nodiscard]] std::vector<std::string> closest(std::string_view given,
                                               std::span<const std::string> known);

/// `; did you mean "vit"?`, or "" if nothing is near: to append to an error message.
[[nodiscard]] std::string did_you_mean(std::string_view given, std::span<const std::string> known);

}  // namespace saccade
