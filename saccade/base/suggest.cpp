#include "saccade/base/suggest.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace saccade {
namespace {

constexpr size_t kLongestName = 128;  // longer ones are no typing mistakes
constexpr size_t kSuggestions = 3;
constexpr size_t kShortestStart = 4;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

/// A third of the letters may differ, and always one.
size_t tolerance(std::string_view given) { return std::max<size_t>(1, given.size() / 3); }

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::vector<std::string> closest(std::string_view given, std::span<const std::string> known) {
  if (given.empty() || given.size() > kLongestName) return {};
  const size_t limit = tolerance(given);
  std::vector<std::pair<size_t, std::string>> near;
  for (const auto& name : known) {
    if (name.size() > kLongestName) continue;
    size_t distance = edit_distance(given, name);
    // The start of a longer name ("vit_base") is near it, but behind a mere slip of the keys.
    if (distance > limit && given.size() >= kShortestStart && name.size() > given.size() &&
        edit_distance(given, std::string_view(name).substr(0, given.size())) <= limit / 2)
      distance = limit;
    if (distance <= limit) near.emplace_back(distance, name);
  }
  std::stable_sort(near.begin(), near.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (auto& [distance, name] : near)
    if (names.size() < kSuggestions && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  return names;
}

std::string did_you_mean(std::string_view given, std::span<const std::string> known) {
  const auto names = closest(given, known);
  if (names.empty()) return "";
  std::string list;
  for (size_t i = 0; i < names.size(); ++i)
    list += fmt::format("{}\"{}\"", i == 0 ? "" : i + 1 == names.size() ? " or " : ", ", names[i]);
  return fmt::format("; did you mean {}?", list);
}

}  // namespace saccade
