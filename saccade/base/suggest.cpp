#include "saccade/base/suggest.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace saccade {
namespace {

/// Insertions, deletions, replacements and swaps of neighbours.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view asked, std::span<const std::string> known) {
  asked = asked.substr(0, 256);
  const std::string* best = nullptr;
  size_t best_distance = 1 + asked.size() / 3;  // more than this is another word
  for (const auto& name : known) {
    const auto distance = edit_distance(asked, name);
    if (distance <= best_distance && (!best || distance < best_distance))
      best = &name, best_distance = distance;
  }
  return best ? fmt::format("; did you mean \"{}\"?", *best) : "";
}

}  // namespace saccade
