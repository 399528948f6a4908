#pragma once
// What the pages of the transformers with shifted windows (swin, swinv2) share without libtorch:
// the constructor arguments, the rules that cut a map into windows, costs and the names of the
// foreign dialects.

#include <functional>
#include <string>
#include <vector>

#include "saccade/checkpoint/dialect.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/config.h"

namespace saccade::models {

/// How a map is cut into windows where the references differ (never mixed):
/// official: the window is clamped to the smaller side on both axes; what does not divide is
///   refused, and so is an odd side before merging.
/// timm: window, shift and table are clamped for each axis; the map is rolled, then zero-padded
///   right and bottom, and the mask covers the padded map.
/// huggingface: zero-padded, then rolled; the table is never clamped, so a side below the window is
///   refused; no shift where the smaller side is the window.
/// huggingface_v2: as huggingface, with window and shift clamped once by the height of the
///   configured image; its attention adds the shift mask twice.
/// Padded tokens are not masked. All but the official one pad odd sides before merging.
enum class WindowRule { official, timm, huggingface, huggingface_v2 };

/// The windows of one stage, as its blocks are constructed.
struct StageWindows {
  int64_t stage = 0;
  WindowRule rule = WindowRule::official;
  Pair asked;   ///< of the configuration
  Pair window;  ///< what the tables are made for
  Pair shift;   ///< of every second block on the configured image

  /// Shift of every second block on a map [height, width] of any size. Throws Error (bad_input) for
  /// a map that the rule refuses, saying what to do.
  [[nodiscard]] Pair shift_on(Pair map) const;
  /// The map after padding to whole windows.
  [[nodiscard]] Pair padded(Pair map) const;
};

/// The map behind patch merging. Throws Error (bad_input) for odd sides under the official rule.
[[nodiscard]] Pair merged_map(WindowRule rule, Pair map);

/// Constructor arguments of the official SwinTransformer and SwinTransformerV2, at their defaults.
struct SwinConfig {
  Pair img_size{224, 224};  ///< pixels [height, width]; other sizes run where the rule allows
  Pair patch_size{4, 4};
  int64_t in_chans = 3;
  int64_t num_classes = 1000;  ///< 0: no head, the logits are the features
  int64_t embed_dim = 96;      ///< width of the first stage; it doubles with every stage
  List depths{2, 2, 6, 2};     ///< blocks of each stage
  List num_heads{3, 6, 12, 24};
  Pair window_size{7, 7};  ///< tokens
  double mlp_ratio = 4.0;
  bool qkv_bias = true;
  double drop_rate = 0.0;       ///< after the embedding, attention's projection, twice in the MLP
  double attn_drop_rate = 0.0;  ///< on the attention weights
  double drop_path_rate = 0.1;  ///< stochastic depth of the last block
  NormLayer norm_layer{1e-5};
  bool ape = false;        ///< learned absolute positions are added to the patches
  bool patch_norm = true;  ///< LayerNorm behind the patch projection
  // Not the official constructor's:
  ActLayer act_layer;                    ///< timm's (v2) and Hugging Face's
  std::optional<double> merge_norm_eps;  ///< of patch_embed and downsample where it differs from
                                         ///< norm_layer's: Hugging Face leaves it at 1e-5
  std::string window_rule = "dialect";   ///< "official", "timm", "huggingface", or "dialect": that
                                         ///< of the checkpoint, official without one
  int64_t generation = 1;                ///< no argument: 2 on the page of Swin v2

  template <class Visit>
  void fields(Visit&& visit) {
    visit("img_size", img_size), visit("patch_size", patch_size), visit("in_chans", in_chans);
    visit("num_classes", num_classes), visit("embed_dim", embed_dim), visit("depths", depths);
    visit("num_heads", num_heads), visit("window_size", window_size);
    visit("mlp_ratio", mlp_ratio), visit("qkv_bias", qkv_bias), visit("drop_rate", drop_rate);
    visit("attn_drop_rate", attn_drop_rate), visit("drop_path_rate", drop_path_rate);
    visit("norm_layer", norm_layer), visit("ape", ape), visit("patch_norm", patch_norm);
    visit("act_layer", act_layer), visit("merge_norm_eps", merge_norm_eps);
    visit("window_rule", window_rule);
  }
  static std::span<const FixedArgument> fixed();
  /// Throws Error (bad_input) naming the field that cannot be.
  void validate(std::string_view where) const;

  [[nodiscard]] int64_t stages() const { return std::ssize(depths); }
  [[nodiscard]] int64_t depth(int64_t stage) const { return depths[static_cast<size_t>(stage)]; }
  /// Number of blocks before the stage; of all for stages().
  [[nodiscard]] int64_t blocks_before(int64_t stage) const;
  [[nodiscard]] int64_t heads(int64_t stage) const { return num_heads[static_cast<size_t>(stage)]; }
  [[nodiscard]] int64_t dim(int64_t stage) const { return embed_dim << stage; }
  [[nodiscard]] int64_t num_features() const { return dim(stages() - 1); }
  [[nodiscard]] int64_t mlp_hidden(int64_t stage) const {
    return models::mlp_hidden(dim(stage), mlp_ratio);
  }
  [[nodiscard]] double merge_eps() const { return merge_norm_eps.value_or(norm_layer.eps); }

  [[nodiscard]] WindowRule rule() const;
  /// Whole patches of the configured image, which absolute positions are made for.
  [[nodiscard]] Pair grid() const { return patch_grid(img_size, patch_size); }
  [[nodiscard]] int64_t num_patches() const { return grid()[0] * grid()[1]; }
  /// Pixels that patches cover: Hugging Face pads to whole patches, the others leave a rest out.
  [[nodiscard]] Pair covered(Pair image) const;
  /// Map of a stage on the configured image. Throws as merged_map().
  [[nodiscard]] Pair map(int64_t stage) const;
  [[nodiscard]] StageWindows windows(int64_t stage) const;
  /// Rows of one relative position table.
  [[nodiscard]] int64_t offsets(int64_t stage) const;
};

/// What the attention of a page has beside the two projections.
struct SwinCosts {
  std::function<int64_t(int64_t stage)> attn_params;  ///< loose parameters of one block
  bool qkv_bias = true;                               ///< the projection's own
  int64_t merge_norm = 4;                             ///< LayerNorm of the merging, in units of C
};
/// Rows as System::costs gives them. Multiply-adds count projections, the patch convolution and the
/// two products of attention, padded tokens included; norms, softmax, activations and what is
/// constant in evaluation count nothing.
[[nodiscard]] std::vector<ModuleCost> swin_costs(const SwinConfig& config, const SwinCosts& page);

/// Reads the field names of SwinConfig and Swinv2Config (transformers) into `config`.
void read_huggingface_swin(SwinConfig& config, const Json& json, std::string_view where);
/// The same fields from `config`, with the class and "model_type" of that hub.
[[nodiscard]] Json write_huggingface_swin(const SwinConfig& config, const std::string& architecture,
                                          const std::string& model_type);

/// "official" with its derived tensors, then the foreign conventions that can express `config`.
/// `attention` holds the page's Hugging Face rules below "<block>.attention.self." and
/// "<block>.attn.", `stored` the derived tensors of Hugging Face files.
struct SwinNames {
  std::string prefix;  ///< "swin", "swinv2"
  std::vector<checkpoint::Rule> attention;
  std::vector<std::string> derived;      ///< below "<block>." in official files
  std::vector<std::string> hub_derived;  ///< below "<block>." in Hugging Face files
};
[[nodiscard]] std::vector<checkpoint::Dialect> swin_dialects(const SwinConfig& config,
                                                             const SwinNames& names);

/// Sets the window rule of a dialect where the configuration leaves it to the checkpoint.
void adopt_window_rule(std::string_view dialect, Json& config);

/// A published variant of the family: size letters as the papers have them.
struct SwinSize {
  int64_t embed_dim;
  std::array<int64_t, 4> depths, num_heads;
  double drop_path_rate;  ///< of the published training from scratch
};
inline constexpr SwinSize kSwinTiny{96, {2, 2, 6, 2}, {3, 6, 12, 24}, 0.2},
    kSwinSmall{96, {2, 2, 18, 2}, {3, 6, 12, 24}, 0.3},
    kSwinBase{128, {2, 2, 18, 2}, {4, 8, 16, 32}, 0.5},
    kSwinLarge{192, {2, 2, 18, 2}, {6, 12, 24, 48}, 0.2};

void set_swin_size(SwinConfig& config, const SwinSize& size, int64_t window_size, int64_t img_size);

/// Another published name of a preset.
struct SwinAlias {
  enum class From { official, timm, hub };
  std::string name;
  From from;
  int64_t num_classes = 1000;
};
/// Lists `config` under its official name and every alias with its classes, rule and pipeline:
/// official and hub pictures at 384 are squashed, the others cropped, as their files say.
void add_swin_presets(System& system, const std::string& name, const Json& config,
                      const std::vector<SwinAlias>& aliases);

}  // namespace saccade::models
