#pragma once
// Which class of a model is which class of a data set.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace saccade::tasks {

struct ClassMap {
  std::vector<int64_t> model_class;  ///< for each class of the data set
  bool by_label = false;             ///< else by order

  /// "label" or "order"
  [[nodiscard]] std::string_view matched_by() const { return by_label ? "label" : "order"; }
};

/// By label: every name of the data set is a label of the model, or one of its comma-separated
/// synonyms ("tench, Tinca tinca"), case, '_' and '-' aside; the model may have more classes. Else
/// by order, if both have the same number of classes and no name contradicts it. Throws Error
/// (usage) otherwise. `labels` may be empty; `where` names the data set in messages.
[[nodiscard]] ClassMap match_classes(std::span<const std::string> dataset_classes,
                                     std::span<const std::string> labels, int64_t model_classes,
                                     std::string_view where);

}  // namespace saccade::tasks
