#pragma once
// MLP-Mixer. Tolstikhin et al., "MLP-Mixer: An all-MLP Architecture for Vision", NeurIPS 2021.
//
// Reference: timm 1.0.31, mlp_mixer.py (MlpMixer); its names are the official ones. Checkpoints:
// timm; Google JAX .npz (google-research/vision_transformer, vit_jax/models_mixer.py), whose code
// computes GELU by tanh: `act_layer = "gelu_tanh"` gives its numbers. Departures: none; ResMLP and
// gMLP, which timm builds from the same class with another `block_layer`, are other systems.

#include <memory>

#include "saccade/models/catalogue.h"
#include "saccade/models/config.h"

namespace saccade::models {

class Model;

namespace mixer {

/// Constructor arguments of timm's MlpMixer, at its defaults.
struct Config {
  int64_t num_classes = 1000;  ///< 0: no head, the logits are the features
  Pair img_size{224, 224};     ///< pixels [height, width]
  int64_t in_chans = 3;
  Pair patch_size{16, 16};
  int64_t num_blocks = 8;
  int64_t embed_dim = 512;
  Ratios mlp_ratio{0.5, 4.0};  ///< widths of the token and the channel MLP, both over embed_dim
  NormLayer norm_layer{1e-6};
  ActLayer act_layer;
  double drop_rate = 0.0;           ///< before the head
  double proj_drop_rate = 0.0;      ///< twice in each MLP
  double drop_path_rate = 0.0;      ///< stochastic depth, the same in every block
  bool nlhb = false;                ///< the head's bias starts at -log(num_classes)
  bool stem_norm = false;           ///< LayerNorm after the patch projection
  std::string global_pool = "avg";  ///< "avg", or "": features and logits of every token

  template <class Visit>
  void fields(Visit&& visit) {
    visit("num_classes", num_classes), visit("img_size", img_size), visit("in_chans", in_chans);
    visit("patch_size", patch_size), visit("num_blocks", num_blocks);
    visit("embed_dim", embed_dim), visit("mlp_ratio", mlp_ratio);
    visit("norm_layer", norm_layer), visit("act_layer", act_layer);
    visit("drop_rate", drop_rate), visit("proj_drop_rate", proj_drop_rate);
    visit("drop_path_rate", drop_path_rate), visit("nlhb", nlhb), visit("stem_norm", stem_norm);
    visit("global_pool", global_pool);
  }
  [[nodiscard]] static std::span<const FixedArgument> fixed();
  /// Throws Error (bad_input) naming the field that cannot be.
  void validate(std::string_view where) const;

  [[nodiscard]] Pair grid() const { return patch_grid(img_size, patch_size); }
  [[nodiscard]] int64_t num_patches() const { return grid()[0] * grid()[1]; }
  [[nodiscard]] int64_t tokens_hidden() const { return mlp_hidden(embed_dim, mlp_ratio[0]); }
  [[nodiscard]] int64_t channels_hidden() const { return mlp_hidden(embed_dim, mlp_ratio[1]); }
};

/// The row of catalogue.cpp.
[[nodiscard]] System system();
/// The row of registry.cpp.
[[nodiscard]] std::shared_ptr<Model> make(const Json& config);

}  // namespace mixer
}  // namespace saccade::models
