#include "saccade/tasks/class_map.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "saccade/base/error.h"

namespace saccade::tasks {
namespace {

constexpr int64_t kAmbiguous = -1;

/// Lower case, '_' and '-' as blanks, one blank between words.
std::string normalised(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '_' || c == '-' || c == '\t') c = ' ';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

/// Names to model classes, from the strictest way to read a label to the loosest.
class Labels {
 public:
  explicit Labels(std::span<const std::string> labels) {
    for (size_t i = 0; i < labels.size(); ++i) {
      const auto index = static_cast<int64_t>(i);
      const std::string_view label = labels[i];
      add(0, std::string(label), index);
      add(1, normalised(label), index);
      for (size_t at = 0; at <= label.size();) {
        const auto end = std::min(label.find(',', at), label.size());
        add(2, normalised(label.substr(at, end - at)), index);
        at = end + 1;
      }
    }
  }

  /// The one class that the name can mean.
  [[nodiscard]] std::optional<int64_t> find(const std::string& name) const {
    for (size_t level = 0; level < names_.size(); ++level) {
      const auto it = names_[level].find(level == 0 ? name : normalised(name));
      if (it == names_[level].end()) continue;
      if (it->second == kAmbiguous) return std::nullopt;
      return it->second;
    }
    return std::nullopt;
  }

 private:
  void add(size_t level, std::string name, int64_t index) {
    const auto [it, is_new] = names_[level].try_emplace(std::move(name), index);
    if (!is_new && it->second != index) it->second = kAmbiguous;
  }

  std::array<std::map<std::string, int64_t>, 3> names_;  // exact, normalised, synonyms
};

}  // namespace

ClassMap match_classes(std::span<const std::string> dataset_classes,
                       std::span<const std::string> labels, int64_t model_classes,
                       std::string_view where) {
  const Labels known(labels);
  ClassMap map;
  std::set<int64_t> used;
  std::vector<std::string> unknown;
  bool in_order = static_cast<int64_t>(dataset_classes.size()) == model_classes;
  for (size_t i = 0; i < dataset_classes.size(); ++i) {
    const auto found = known.find(dataset_classes[i]);
    if (!found || *found >= model_classes || !used.insert(*found).second)
      unknown.push_back(dataset_classes[i]);
    else if (*found != static_cast<int64_t>(i))
      in_order = false;
    map.model_class.push_back(found.value_or(0));
  }
  map.by_label = unknown.empty();
  if (map.by_label) return map;
  if (!in_order) {
    const auto shown = std::span(unknown).first(std::min<size_t>(unknown.size(), 5));
    throw usage_error(
        "{}: its {} classes do not fit the model's {}: {} {} no label of the model ({}{}); "
        "rename the class folders, or give a model trained on these classes",
        where, dataset_classes.size(), model_classes, unknown.size(),
        unknown.size() == 1 ? "is" : "are", fmt::join(shown, ", "),
        shown.size() < unknown.size() ? ", ..." : "");
  }
  std::iota(map.model_class.begin(), map.model_class.end(), 0);
  return map;
}

}  // namespace saccade::tasks
