#include "saccade/models/describe.h"

#include <algorithm>
#include <array>

#include "saccade/base/error.h"
#include "saccade/base/suggest.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/config.h"

namespace saccade::models {
namespace {

namespace fs = std::filesystem;

Description from_preset(const Preset& preset) {
  return {preset.name, preset.system, preset.config, preset.pipeline, {}, std::nullopt};
}

/// What a person types for a file: it has a folder, or the extension of one.
bool looks_like_path(const std::string& text) {
  static constexpr std::array kExtensions{".safetensors", ".pth", ".pt",   ".bin",
                                          ".npz",         ".npy", ".json", ".plan"};
  return text.starts_with('/') || text.starts_with("./") || text.starts_with("../") ||
         std::ranges::any_of(kExtensions, [&](const char* end) { return text.ends_with(end); });
}

const Preset& preset_named(const std::string& name) {
  if (const auto* preset = find_preset(name)) return *preset;
  if (looks_like_path(name)) throw input_error(name, "cannot be opened: No such file or directory");
  throw usage_error("\"{}\" is no model of the zoo and no file{}", name,
                    did_you_mean(name, preset_names()));
}

/// The system that a file names by `member`; another one than the zoo's is not supported.
const System& system_in_file(const std::string& named, std::string System::*member,
                             const std::string& where) {
  std::vector<std::string> names;
  for (const auto& system : systems()) {
    if (!named.empty() && system.*member == named) return system;
    names.push_back(system.*member);
  }
  throw unsupported_error("{}: models of type \"{}\" are not supported{}", where, named,
                          did_you_mean(named, names));
}

std::vector<std::string> string_list(const Json& json, const std::string& where) {
  std::vector<std::string> out;
  for (const auto& item : json) {
    if (!item.is_string())
      throw input_error(where, "labels must be strings, one is {}", item.dump());
    out.push_back(item.get<std::string>());
  }
  return out;
}

/// The class that "architectures" names, if it is there in the usual form.
std::string huggingface_class(const Json& json) {
  const auto it = json.find("architectures");
  const bool named = it != json.end() && it->is_array() && !it->empty() && it->front().is_string();
  return named ? it->front().get<std::string>() : "";
}

Description from_huggingface(const Json& json, const std::string& where) {
  const auto type = json_string(json, "model_type", where);
  const auto* system = &system_in_file(type, &System::huggingface_type, where);
  Description out;
  out.name = where;
  out.system = system->name;
  Json marked = Json::object();
  system->select_class(huggingface_class(json), marked);
  out.config = system->from_huggingface(json, where);
  out.labels = huggingface_labels(json, where);
  return out;
}

Description from_timm(const Json& json, const std::string& where) {
  const auto architecture = json_string(json, "architecture", where);
  const auto data = json.contains("pretrained_cfg") ? json["pretrained_cfg"] : json;
  if (!data.is_object()) throw input_error(where, "\"pretrained_cfg\" must be an object");
  const auto* preset = find_preset(architecture);
  if (preset == nullptr)
    throw unsupported_error("{}: the architecture \"{}\" is not supported{}", where, architecture,
                            did_you_mean(architecture, preset_names()));
  auto out = from_preset(*preset);
  Json config = out.config;
  if (json.contains("num_classes")) config["num_classes"] = json["num_classes"];
  if (json.contains("global_pool")) config["global_pool"] = json["global_pool"];
  if (json.contains("model_args")) {
    if (!json["model_args"].is_object())
      throw input_error(where, "\"model_args\" must be an object");
    config.update(json["model_args"]);
  }
  const auto& system = find_system(out.system);
  if (system.adopt_dialect) system.adopt_dialect("timm", config);
  out.config = system.complete(config, where);
  out.pipeline = pipeline_from_timm(data, where);
  for (const auto* holder : {&json, &data})
    if (holder->contains("label_names") && out.labels.empty())
      out.labels = string_list((*holder)["label_names"], where);
  return out;
}

/// Drop rates are for training; a ratio is what it makes of the width; window rules differ only on
/// pictures that some of them pad or refuse.
bool says_the_same(const std::string& key, const Json& given, const Json& back,
                   const Json& config) {
  if (key.ends_with("drop_rate") || key == "drop_path_rate" || given == back) return true;
  if (key == "window_rule") return true;
  const auto hidden = [&](const Json& ratio) {
    return mlp_hidden(config.at("embed_dim").get<int64_t>(), ratio.get<double>());
  };
  return key == "mlp_ratio" && hidden(given) == hidden(back);
}

Description from_saccade(const Json& json, const std::string& where) {
  Description out;
  out.name = where;
  out.system = json_string(json, "system", where);
  if (!json.contains("config")) throw input_error(where, "\"config\" is missing");
  const auto& system = system_in_file(out.system, &System::name, where);
  out.config = system.complete(json["config"], where);
  const auto& known = system.presets;
  if (known.empty()) return out;
  const auto& size = out.config.at("img_size");
  const auto side = [&](size_t i) { return (size.is_array() ? size[i] : size).get<int64_t>(); };
  out.pipeline = for_size(known.front().pipeline, side(0), side(1));
  return out;
}

/// A JSON text that Saccade keeps in a checkpoint's metadata.
std::optional<Json> metadata_json(const checkpoint::Checkpoint& file, const char* key) {
  const auto& metadata = file.metadata();
  const auto it = metadata.find(key);
  if (it == metadata.end() || !it->is_string()) return std::nullopt;
  return parse_json(it->get_ref<const std::string&>(),
                    fmt::format("{}: {}", file.path().string(), key));
}

/// A checkpoint of our own carries everything in its metadata; another file describes nothing.
Description from_checkpoint(const fs::path& file) {
  const auto opened = checkpoint::Checkpoint::open(file);
  const auto where = file.string();
  Description out;
  if (const auto config = metadata_json(opened, kConfigKey)) out = from_saccade(*config, where);
  if (const auto pipeline = metadata_json(opened, kPipelineKey))
    out.pipeline = pipeline_from_json(*pipeline, where);
  if (const auto labels = metadata_json(opened, kLabelsKey))
    out.labels = string_list(*labels, where);
  out.name = where;
  out.weights = file;
  return out;
}

fs::path first_of(const fs::path& folder, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (fs::exists(folder / name)) return folder / name;
  return {};
}

Description from_folder(const fs::path& folder) {
  const auto weights = first_of(folder, {"model.safetensors", "model.safetensors.index.json",
                                         "pytorch_model.bin", "pytorch_model.bin.index.json"});
  Description out;
  if (const auto config = folder / "config.json"; fs::exists(config))
    out = describe_config(read_json(config), config.string());
  else if (!weights.empty())
    out = from_checkpoint(weights);
  else
    throw input_error(folder.string(), "is a folder without config.json and model.safetensors");
  if (const auto file = folder / "preprocessor_config.json"; fs::exists(file))
    out.pipeline = read_pipeline(file);
  else if (weights.extension() == ".safetensors")
    if (const auto own = metadata_json(checkpoint::Checkpoint::open(weights), kPipelineKey))
      out.pipeline = pipeline_from_json(*own, weights.string());
  if (!weights.empty()) out.weights = weights;
  out.name = folder.string();
  return out;
}

}  // namespace

Description describe_config(const Json& json, const std::string& where) {
  if (!json.is_object()) throw input_error(where, "a configuration must be a JSON object");
  Description out;
  if (json.contains("system")) {
    out = from_saccade(json, where);
  } else if (json.contains("architecture")) {
    out = from_timm(json, where);
  } else if (json.contains("model_type")) {
    out = from_huggingface(json, where);
    for (const auto& preset : find_system(out.system).aliases)
      if (preset.config == out.config && preset.name.find('/') != std::string::npos)
        out.pipeline = preset.pipeline;  // the hub's own, unless a file says otherwise
  } else {
    throw input_error(where,
                      "is no model configuration: none of \"model_type\" (Hugging Face), "
                      "\"architecture\" (timm) and \"system\" (Saccade) is there");
  }
  return out;
}

Json huggingface_config(const Description& about) {
  const auto& system = find_system(about.system);
  if (!system.to_huggingface)
    throw unsupported_error(
        "{}: a config.json for the system \"{}\" cannot be written; name a .safetensors file to "
        "write "
        "the weights alone",
        about.name, about.system);
  Json out = system.to_huggingface(about.config);
  out["id2label"] = Json::object();
  const auto classes = about.config.at("num_classes").get<size_t>();
  for (size_t i = 0; i < classes; ++i)
    out["id2label"][std::to_string(i)] =
        about.labels.size() == classes ? about.labels[i] : fmt::format("LABEL_{}", i);
  const auto back = describe_config(out, "config.json").config;
  for (const auto& [key, value] : about.config.items())
    if (back.contains(key) && !says_the_same(key, value, back[key], about.config))
      throw unsupported_error("{}: a Hugging Face config.json cannot say \"{}\" = {}", about.name,
                              key, value.dump());
  return out;
}

Description describe(const std::string& what, const std::string& config, const std::string& arch) {
  Description out;
  if (fs::is_directory(what))
    out = from_folder(what);
  else if (!fs::exists(what))
    out = from_preset(preset_named(what));
  else if (what.ends_with(".json") && !what.ends_with(".index.json"))
    out = describe_config(read_json(what), what);
  else
    out = from_checkpoint(what);
  const auto replace = [&](Description by) {
    by.weights = out.weights;
    if (by.labels.empty()) by.labels = std::move(out.labels);
    out = std::move(by);
  };
  if (!config.empty()) replace(describe_config(read_json(config), config));
  if (!arch.empty()) replace(from_preset(preset_named(arch)));
  return out;
}

}  // namespace saccade::models
