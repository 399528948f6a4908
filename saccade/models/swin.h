#pragma once
// Swin Transformer. Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted
// Windows", ICCV 2021.
//
// Reference: microsoft/Swin-Transformer models/swin_transformer.py (SwinTransformer). Checkpoints:
// the official releases ({"model": ...}, with their derived buffers); timm; Hugging Face
// SwinForImageClassification. Departures: images of other sizes than img_size run where the window
// rule allows it; `window_rule` chooses between the references where they differ (swin_family.h).

#include <memory>

#include "saccade/models/catalogue.h"
#include "saccade/models/swin_family.h"

namespace saccade::models {

class Model;

namespace swin {

struct Config : SwinConfig {
  std::optional<double> qk_scale;  ///< in the place of head_dim^-0.5; 0 too means the default

  template <class Visit>
  void fields(Visit&& visit) {
    SwinConfig::fields(visit);
    visit("qk_scale", qk_scale);
  }
  void validate(std::string_view where) const;
  [[nodiscard]] double scale(int64_t stage) const;
};

/// The row of catalogue.cpp.
[[nodiscard]] System system();
/// The row of registry.cpp.
[[nodiscard]] std::shared_ptr<Model> make(const Json& config);

}  // namespace swin
}  // namespace saccade::models
