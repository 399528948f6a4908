#pragma once
// Swin Transformer V2. Liu et al., "Swin Transformer V2: Scaling Up Capacity and Resolution", CVPR
// 2022.
//
// Reference: microsoft/Swin-Transformer models/swin_transformer_v2.py (SwinTransformerV2).
// Checkpoints: the official releases ({"model": ...}, with their derived buffers); timm; Hugging
// Face Swinv2ForImageClassification. Departures: as swin.h; a window of 1 has the offset 0, where
// the official code divides 0 by 0.

#include <memory>

#include "saccade/models/catalogue.h"
#include "saccade/models/swin_family.h"

namespace saccade::models {

class Model;

namespace swinv2 {

struct Config : SwinConfig {
  Config() { generation = 2; }

  List pretrained_window_sizes{0, 0, 0, 0};  ///< of each stage; 0: its own window

  template <class Visit>
  void fields(Visit&& visit) {
    SwinConfig::fields(visit);
    visit("pretrained_window_sizes", pretrained_window_sizes);
  }
  void validate(std::string_view where) const;
  [[nodiscard]] int64_t pretrained_window(int64_t stage) const {
    return pretrained_window_sizes[static_cast<size_t>(stage)];
  }
};

/// Width of the network that computes the position bias.
inline constexpr int64_t kBiasHidden = 512;

/// The row of catalogue.cpp.
[[nodiscard]] System system();
/// The row of registry.cpp.
[[nodiscard]] std::shared_ptr<Model> make(const Json& config);

}  // namespace swinv2
}  // namespace saccade::models
