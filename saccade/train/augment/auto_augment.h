#pragma once
// AutoAugment (Cubuk et al. 2019) and RandAugment (Cubuk et al. 2020) as timm configures them by a
// string. Source: timm 1.0.31 data/auto_augment.py.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/random.h"
#include "saccade/train/augment/picture_ops.h"

namespace saccade::train {

/// The names of the operations ("ShearX", "PosterizeIncreasing", ...), sorted.
[[nodiscard]] std::span<const std::string_view> augment_op_names();

struct LevelSettings {
  double translate_const = 250.0;  ///< pixels at level 10
  double translate_pct = 0.45;     ///< part of the side at level 10
};
/// The argument of an operation at a level (0..10 and beyond); nothing if it takes none. `negate`
/// is the coin that decides the direction where there are two.
[[nodiscard]] std::optional<double> level_to_arg(std::string_view op, double level, bool negate,
                                                 const LevelSettings& settings = {});

/// One operation with its argument. Throws InternalError for an unknown name.
[[nodiscard]] Image apply_augment_op(std::string_view op, const Image& picture,
                                     std::optional<double> argument, Interpolation filter,
                                     Fill fill);

/// One step of a policy.
struct PolicyOp {
  std::string_view op;
  double prob = 0.5;
  double magnitude = 10;
  bool operator==(const PolicyOp&) const = default;
};

/// What a configuration string says.
struct AutoAugmentConfig {
  /// AutoAugment: one of these is drawn and its operations follow each other. RandAugment: each
  /// holds one operation, and `num_layers` of them are drawn.
  std::vector<std::vector<PolicyOp>> policy;
  int64_t num_layers = 1;
  std::vector<double> weights;          ///< RandAugment "t weights": drawn without replacement
  double magnitude_std = 0.0;           ///< noise on magnitudes; infinite: uniform below
  std::optional<double> magnitude_max;  ///< upper bound, default 10
};

/// "rand-m9-mstd0.5-inc1", "original-mstd0.5", "v0", "3a", ... Throws Error (usage) naming what it
/// does not know.
[[nodiscard]] AutoAugmentConfig parse_auto_augment(const std::string& text);

struct AutoAugmentSettings {
  std::optional<Interpolation> filter;  ///< default: bilinear or bicubic, drawn each time
  Fill fill{128, 128, 128};
  LevelSettings levels;
};
[[nodiscard]] Image auto_augment(const AutoAugmentConfig& config, Image picture, Random& random,
                                 const AutoAugmentSettings& settings);

}  // namespace saccade::train
