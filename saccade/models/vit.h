#pragma once
// Vision Transformer. Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021.
//
// Reference: timm 1.0.31, vision_transformer.py (VisionTransformer); its names are the official
// ones. Checkpoints: timm; Hugging Face ViTForImageClassification; Google JAX .npz (releases before
// and after linen, big_vision). Departure: `stem = "conv"` puts a small stack of convolutions in
// the place of the patch projection (Xiao et al., "Early Convolutions Help Transformers See
// Better", 2021). Other dialects cannot express it, so writing them is refused.

#include <memory>

#include "saccade/models/catalogue.h"
#include "saccade/models/plain_vit.h"

namespace saccade::models {

class Model;

namespace vit {

struct Config : PlainVitConfig {
  bool class_token = true;
  std::string global_pool = "token";  ///< "token", or "avg": mean over the patches, then fc_norm
  bool pre_norm = false;              ///< CLIP's norm before the blocks; the projection has no bias
  std::string stem = "patch";         ///< "patch", or "conv" (see above)

  template <class Visit>
  void fields(Visit&& visit) {
    PlainVitConfig::fields(visit);
    visit("class_token", class_token), visit("global_pool", global_pool);
    visit("pre_norm", pre_norm), visit("stem", stem);
  }
  static std::span<const FixedArgument> fixed() { return kPlainVitFixed; }
  void validate(std::string_view where) const;

  [[nodiscard]] int64_t prefix_tokens() const { return class_token ? 1 : 0; }
  /// Channels and stride of one 3x3 convolution of the stem.
  struct StemLayer {
    int64_t channels, stride;
  };
  /// For stem = "conv": a layer of stride 1, then one of stride 2 for each halving down to the
  /// patch size, with one of stride 1 between them; channels double from embed_dim / 6.
  [[nodiscard]] std::vector<StemLayer> stem_layers() const;
};

/// The row of catalogue.cpp.
[[nodiscard]] System system();
/// The row of registry.cpp.
[[nodiscard]] std::shared_ptr<Model> make(const Json& config);

}  // namespace vit
}  // namespace saccade::models
