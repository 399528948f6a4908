#pragma once
// report.html: the curves of a run in one file without scripts or foreign resources.

#include <string>
#include <vector>

namespace saccade::train {

struct EpochMetrics;
struct Recipe;

[[nodiscard]] std::string html_report(const Recipe& recipe,
                                      const std::vector<EpochMetrics>& history);

}  // namespace saccade::train
