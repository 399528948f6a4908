#pragma once
// DeiT. Touvron et al., "Training data-efficient image transformers & distillation through
// attention", ICML 2021.
//
// Reference: facebookresearch/deit models.py (VisionTransformer, DistilledVisionTransformer).
// Checkpoints: the official releases ({"model": ...}); timm (the same names); Hugging Face
// DeiTForImageClassificationWithTeacher.
// Departure: `distilled` says which of the two classes a configuration means; the reference says it
// by the constructor that is called.

#include <memory>

#include "saccade/models/catalogue.h"
#include "saccade/models/plain_vit.h"

namespace saccade::models {

class Model;

namespace deit {

struct Config : PlainVitConfig {
  bool distilled = false;  ///< a distillation token with a head of its own

  template <class Visit>
  void fields(Visit&& visit) {
    PlainVitConfig::fields(visit);
    visit("distilled", distilled);
  }
  static std::span<const FixedArgument> fixed();
  void validate(std::string_view where) const { PlainVitConfig::validate(where); }

  [[nodiscard]] int64_t prefix_tokens() const { return distilled ? 2 : 1; }
};

/// The row of catalogue.cpp.
[[nodiscard]] System system();
/// The row of registry.cpp.
[[nodiscard]] std::shared_ptr<Model> make(const Json& config);

}  // namespace deit
}  // namespace saccade::models
