#include "saccade/models/config.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "saccade/base/suggest.h"

namespace saccade::models {
namespace {

constexpr std::pair<std::string_view, std::string_view> kActivations[] = {
    {"gelu", "gelu"},         {"gelutanh", "gelu_tanh"},
    {"gelunew", "gelu_tanh"}, {"gelupytorchtanh", "gelu_tanh"},
    {"relu", "relu"},         {"silu", "silu"},
    {"swish", "silu"},        {"quickgelu", "quick_gelu"},
};

std::string plain(std::string_view text) {  // "GELU_Tanh" -> "gelutanh"
  std::string out;
  for (const unsigned char c : text)
    if (c != '_' && c != '-') out += static_cast<char>(std::tolower(c));
  return out;
}

}  // namespace

ConfigReader::ConfigReader(const Json& json, std::string_view where) : json_(json), where_(where) {
  if (!json.is_object())
    throw input_error(where, "a configuration must be a JSON object, is {}", json.type_name());
}

const Json* ConfigReader::take(std::string_view name) {
  known_.emplace_back(name);
  const auto it = json_.find(name);
  return it == json_.end() ? nullptr : &*it;
}

void ConfigReader::operator()(std::string_view name, int64_t& value) {
  if (take(name)) value = json_int(json_, name, where_);
}
void ConfigReader::operator()(std::string_view name, double& value) {
  if (take(name)) value = json_number(json_, name, where_);
}
void ConfigReader::operator()(std::string_view name, bool& value) {
  if (take(name)) value = json_bool(json_, name, where_);
}
void ConfigReader::operator()(std::string_view name, std::string& value) {
  if (take(name)) value = json_string(json_, name, where_);
}

void ConfigReader::operator()(std::string_view name, Pair& value) {
  const Json* found = take(name);
  if (!found) return;
  if (!found->is_array()) {
    value.fill(json_int(json_, name, where_));
    return;
  }
  if (found->size() != 2)
    throw input_error(where_, "\"{}\" must be a number or [height, width], is {}", name,
                      found->dump());
  for (size_t i = 0; i < 2; ++i) value[i] = json_int({{"0", (*found)[i]}}, "0", where_);
}

void ConfigReader::operator()(std::string_view name, Ratios& value) {
  const Json* found = take(name);
  if (!found) return;
  if (!found->is_array()) {
    value.fill(json_number(json_, name, where_));
    return;
  }
  if (found->size() != 2)
    throw input_error(where_, "\"{}\" must be a number or a list of two, is {}", name,
                      found->dump());
  const auto place = fmt::format("{}: \"{}\"", where_, name);
  for (size_t i = 0; i < 2; ++i) value[i] = json_number({{"0", (*found)[i]}}, "0", place);
}

void ConfigReader::operator()(std::string_view name, List& value) {
  const Json* found = take(name);
  if (!found) return;
  if (!found->is_array())
    throw input_error(where_, "\"{}\" must be a list of numbers, is {}", name, found->dump());
  value.clear();
  for (const auto& item : *found) value.push_back(json_int({{"0", item}}, "0", where_));
}

void ConfigReader::operator()(std::string_view name, std::optional<double>& value) {
  const Json* found = take(name);
  if (!found) return;
  value.reset();
  if (!found->is_null()) value = json_number(json_, name, where_);
}

void ConfigReader::operator()(std::string_view name, NormLayer& value) {
  const Json* found = take(name);
  if (!found || found->is_null()) return;
  const auto type = found->is_object() ? found->value("type", Json("LayerNorm")) : *found;
  if (!type.is_string() || plain(type.get<std::string>()) != "layernorm")
    throw unsupported_error("{}: \"{}\" must be LayerNorm, is {}", where_, name, type.dump());
  if (found->is_object() && found->contains("eps")) value.eps = json_number(*found, "eps", where_);
}

void ConfigReader::operator()(std::string_view name, ActLayer& value) {
  const Json* found = take(name);
  if (!found || found->is_null()) return;
  Json type = *found;
  if (found->is_object()) type = found->value("type", Json(nullptr));
  if (!type.is_string())
    throw input_error(where_, "\"{}\" must name an activation, is {}", name, found->dump());
  auto asked = plain(type.get<std::string>());
  if (found->is_object() && found->value("approximate", Json("none")) == "tanh") asked += "tanh";
  const auto* row = std::ranges::find(kActivations, asked, [](const auto& r) { return r.first; });
  if (row == std::end(kActivations))
    throw unsupported_error("{}: \"{}\": the activation {} is not supported", where_, name,
                            type.dump());
  value.name = row->second;
}

void ConfigReader::finish(std::span<const FixedArgument> fixed, Unknown unknown) const {
  for (const auto& [key, value] : json_.items()) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    const auto it = std::ranges::find(fixed, std::string_view(key), &FixedArgument::name);
    if (it != fixed.end()) {
      if (value.is_null() || it->only == kAnyValue || value == Json::parse(it->only)) continue;
      throw unsupported_error("{}: \"{}\" = {} is not supported, only {}", where_, key,
                              value.dump(), it->only);
    }
    if (unknown == Unknown::ignore) continue;
    throw input_error(where_, "unknown key \"{}\"{}", key, did_you_mean(key, known_));
  }
}

void ConfigWriter::operator()(std::string_view name, Pair& value) {
  if (value[0] == value[1])
    json_[std::string(name)] = value[0];
  else
    json_[std::string(name)] = value;
}

void ConfigWriter::operator()(std::string_view name, NormLayer& value) {
  json_[std::string(name)] = {{"type", "LayerNorm"}, {"eps", value.eps}};
}

std::vector<std::string> huggingface_labels(const Json& config, std::string_view where) {
  const auto found = config.find("id2label");
  if (found == config.end() || found->is_null()) return {};
  if (!found->is_object())
    throw input_error(where, "\"id2label\" must be an object, is {}", found->type_name());
  std::vector<std::string> labels(found->size());
  std::vector<bool> seen(found->size());
  for (const auto& [key, value] : found->items()) {
    uint64_t index = 0;
    const auto* end = key.data() + key.size();
    const auto [stop, error] = std::from_chars(key.data(), end, index);
    if (error != std::errc() || stop != end || index >= labels.size() || seen[index])
      throw input_error(where, "\"id2label\" must have the keys 0 ... {}, has \"{}\"",
                        labels.size() - 1, key);
    if (!value.is_string())
      throw input_error(where, "\"id2label\" {} must be a string, is {}", key, value.dump());
    labels[index] = value.get<std::string>();
    seen[index] = true;
  }
  return labels;
}

void check_range(std::string_view where, std::string_view name, int64_t value, int64_t low,
                 int64_t high) {
  if (value < low || value > high)
    throw input_error(where, "\"{}\" must lie in {} ... {}, is {}", name, low, high, value);
}

void check_rate(std::string_view where, std::string_view name, double value) {
  if (!(value >= 0.0 && value < 1.0))
    throw input_error(where, "\"{}\" must lie in [0, 1), is {}", name, value);
}

void check_eps(std::string_view where, const NormLayer& norm_layer) {
  if (!(norm_layer.eps >= 0.0 && norm_layer.eps < 1.0))
    throw input_error(where, "the eps of \"norm_layer\" must lie in [0, 1), is {}", norm_layer.eps);
}

void check_mlp_ratio(std::string_view where, double mlp_ratio, int64_t dim) {
  if (!(mlp_ratio > 0.0 && mlp_ratio <= kMaxMlpRatio) || mlp_hidden(dim, mlp_ratio) < 1)
    throw input_error(where,
                      "\"mlp_ratio\" must lie in (0, {}] and leave a width of at least 1, "
                      "is {} of {}",
                      kMaxMlpRatio, mlp_ratio, dim);
}

void check_patches(std::string_view where, Pair img_size, Pair patch_size, int64_t in_chans) {
  constexpr int64_t kMaxSide = 65536, kMaxPatches = 1 << 20, kMaxChannels = 1024;
  for (const int64_t side : img_size) check_range(where, "img_size", side, 1, kMaxSide);
  for (const size_t i : {0u, 1u}) check_range(where, "patch_size", patch_size[i], 1, img_size[i]);
  check_range(where, "in_chans", in_chans, 1, kMaxChannels);
  const auto grid = patch_grid(img_size, patch_size);
  check_range(where, "number of patches", grid[0] * grid[1], 1, kMaxPatches);
}

}  // namespace saccade::models
