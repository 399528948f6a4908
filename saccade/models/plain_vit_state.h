#pragma once
// What the pages of the isotropic vision transformers share with libtorch.

#include <string>

#include "saccade/models/model.h"
#include "saccade/models/plain_vit.h"

namespace saccade::models {

/// What the models of the family answer alike.
class PlainVitModel : public Model {
 public:
  [[nodiscard]] int64_t layer_id(std::string_view parameter) const override;
  [[nodiscard]] int64_t num_classes() const override { return config_.num_classes; }
  /// `state` with its position embedding resized to the grid by "timm" or "deit". The old grid is
  /// taken to be square, as both references do.
  [[nodiscard]] NamedTensors adapt(const NamedTensors& state, const Adaptation& how) const override;
  [[nodiscard]] std::string misfit(const NamedTensors& state) const override;

 protected:
  PlainVitModel(PlainVitConfig config, int64_t prefix_tokens)
      : config_(std::move(config)), prefix_tokens_(prefix_tokens) {}

 private:
  PlainVitConfig config_;
  int64_t prefix_tokens_;
};

}  // namespace saccade::models
