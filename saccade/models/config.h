#pragma once
// Model configurations from JSON. A page lists its fields once, in `fields(visit)`; reading,
// writing and the refusal of unknown keys follow from that list.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "saccade/base/error.h"
#include "saccade/base/json.h"

namespace saccade::models {

/// [height, width]; in JSON one number where both are equal.
using Pair = std::array<int64_t, 2>;
/// Two ratios, in JSON a list, or one number for both.
using Ratios = std::array<double, 2>;

/// One number for each stage.
using List = std::vector<int64_t>;

/// LayerNorm and its eps: {"type": "LayerNorm", "eps": 1e-6}, "LayerNorm" or null in JSON.
struct NormLayer {
  double eps = 1e-6;
};

/// The activation: "gelu", "gelu_tanh", "relu", "silu", "quick_gelu"; in JSON also null (gelu) and
/// the names that timm and Hugging Face use for them.
struct ActLayer {
  std::string name = "gelu";
  /// What a Hugging Face config.json calls it.
  [[nodiscard]] std::string huggingface_name() const {
    return name == "gelu_tanh" ? "gelu_pytorch_tanh" : name;
  }
};

/// An argument of the reference that Saccade has only at its default.
struct FixedArgument {
  std::string_view name;
  std::string_view only;  ///< the accepted value as JSON text; null is always accepted
};
/// FixedArgument::only of an argument that changes no number: whatever it says is accepted.
inline constexpr std::string_view kAnyValue = "any";

/// Reads named fields from a JSON object and remembers which keys were used.
class ConfigReader {
 public:
  /// `where` names the file in errors. Throws Error (bad_input) if `json` is not an object.
  ConfigReader(const Json& json, std::string_view where);

  /// Leaves `value` as it is if the key is absent.
  void operator()(std::string_view name, int64_t& value);
  void operator()(std::string_view name, double& value);
  void operator()(std::string_view name, bool& value);
  void operator()(std::string_view name, std::string& value);
  void operator()(std::string_view name, Pair& value);
  void operator()(std::string_view name, Ratios& value);
  void operator()(std::string_view name, List& value);
  void operator()(std::string_view name, std::optional<double>& value);  ///< null: nothing
  void operator()(std::string_view name, NormLayer& value);
  void operator()(std::string_view name, ActLayer& value);

  /// What to do with keys that no field has asked for.
  enum class Unknown { refuse, ignore };
  /// Throws Error: not_supported for a fixed argument away from its default, bad_input for a key
  /// that nobody knows (with "did you mean").
  void finish(std::span<const FixedArgument> fixed, Unknown unknown = Unknown::refuse) const;

 private:
  const Json* take(std::string_view name);

  const Json& json_;
  std::string_view where_;
  std::vector<std::string> known_;
};

/// Writes the fields in their order.
class ConfigWriter {
 public:
  void operator()(std::string_view name, int64_t& value) { json_[std::string(name)] = value; }
  void operator()(std::string_view name, double& value) { json_[std::string(name)] = value; }
  void operator()(std::string_view name, bool& value) { json_[std::string(name)] = value; }
  void operator()(std::string_view name, std::string& value) { json_[std::string(name)] = value; }
  void operator()(std::string_view name, Pair& value);
  void operator()(std::string_view name, Ratios& value) { json_[std::string(name)] = value; }
  void operator()(std::string_view name, List& value) { json_[std::string(name)] = value; }
  void operator()(std::string_view name, std::optional<double>& value) {
    json_[std::string(name)] = value ? Json(*value) : Json();
  }
  void operator()(std::string_view name, NormLayer& value);
  void operator()(std::string_view name, ActLayer& value) { json_[std::string(name)] = value.name; }
  [[nodiscard]] Json json() && { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

/// A validated configuration from JSON. Config has fields(visit), validate(where) and fixed().
template <class Config>
[[nodiscard]] Config read_config(const Json& json, std::string_view where) {
  Config config;
  ConfigReader reader(json, where);
  config.fields(reader);
  reader.finish(Config::fixed());
  config.validate(where);
  return config;
}

template <class Config>
[[nodiscard]] Json to_json(Config config) {
  ConfigWriter writer;
  config.fields(writer);
  return std::move(writer).json();
}

/// What System::complete (catalogue.h) is for a page with this Config.
template <class Config>
[[nodiscard]] Json completed(const Json& json, std::string_view where) {
  return to_json(read_config<Config>(json, where));
}

/// The labels of a Hugging Face config.json in class order; empty without "id2label". Throws Error
/// (bad_input) unless the keys are exactly 0 ... n-1 and the values are strings.
[[nodiscard]] std::vector<std::string> huggingface_labels(const Json& config,
                                                          std::string_view where);

/// Patches that fit into a picture [height, width]; a remainder is left out, as in the references.
[[nodiscard]] inline Pair patch_grid(Pair img_size, Pair patch_size) {
  return {img_size[0] / patch_size[0], img_size[1] / patch_size[1]};
}
/// Width of an MLP, truncated as the references do.
[[nodiscard]] inline int64_t mlp_hidden(int64_t dim, double mlp_ratio) {
  return static_cast<int64_t>(static_cast<double>(dim) * mlp_ratio);
}

/// What no published model comes near; beyond it a configuration is taken to be broken.
inline constexpr int64_t kMaxWidth = 65536, kMaxDepth = 1024, kMaxClasses = 10'000'000;
inline constexpr int64_t kMaxMlpRatio = 64;

/// Each throws Error (bad_input) "file: "name" must be ..., is ..." for a value that cannot be.
void check_range(std::string_view where, std::string_view name, int64_t value, int64_t low,
                 int64_t high);
void check_rate(std::string_view where, std::string_view name, double value);
void check_eps(std::string_view where, const NormLayer& norm_layer);
void check_mlp_ratio(std::string_view where, double mlp_ratio, int64_t dim);
/// Sides of picture and patch, channels, and the number of patches.
void check_patches(std::string_view where, Pair img_size, Pair patch_size, int64_t in_chans);

}  // namespace saccade::models
