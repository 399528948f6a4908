#pragma once
// The tables of AutoAugment and RandAugment. Source: timm 1.0.31 data/auto_augment.py.

#include <string_view>
#include <vector>

#include "saccade/train/augment/auto_augment.h"

namespace saccade::train {

/// "v0", "v0r", "original", "originalr", "3a"; empty for any other name.
[[nodiscard]] std::vector<std::vector<PolicyOp>> auto_augment_policy(std::string_view name);

struct WeightedOp {
  std::string_view op;
  double weight = 0.0;  ///< 0: all alike
};
/// RandAugment's set of operations: "weights", "3aw", "3a", any other name the full one, whose
/// severity grows with the level if `increasing`.
[[nodiscard]] const std::vector<WeightedOp>& rand_augment_choices(std::string_view set,
                                                                  bool increasing);

}  // namespace saccade::train
