#include "saccade/models/verify.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "saccade/base/error.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/load.h"
#include "saccade/models/registry.h"
#include "saccade/nn/host.h"

namespace saccade::models {
namespace {

namespace fs = std::filesystem;
using checkpoint::Checkpoint;

/// A case as its files describe it.
struct Case {
  fs::path folder;
  std::string where;  ///< case.json, for messages
  Json json;
  const System* system = nullptr;
  std::string dialect;  ///< "" for the official names
  NamedTensors golden;

  [[nodiscard]] std::string text(const char* key) const {
    return json.contains(key) ? json_string(json, key, where) : "";
  }
};

Case read_case(const fs::path& folder) {
  Case c{folder, (folder / "case.json").string(), read_json(folder / "case.json"), nullptr, "", {}};
  const auto name = json_string(c.json, "system", c.where);
  const auto known = systems();
  const auto it = std::ranges::find(known, name, &System::name);
  if (it == known.end())
    throw unsupported_error("{}: the system \"{}\" is not there yet", c.where, name);
  c.system = &*it;
  c.dialect = c.text("dialect");
  const auto weights = c.text("weights");
  const bool model_case = weights != "none" && !weights.empty() && c.json.contains("config") &&
                          c.json.contains("tensors") && c.json["tensors"].contains("in.images");
  if (!model_case)
    throw unsupported_error("{}: this is no case of a model (kind \"{}\"); `make golden` runs it",
                            c.where, c.text("kind"));
  c.golden = Checkpoint::open(folder / "golden.safetensors").state_dict();
  return c;
}

/// A configuration of the case ("config", "source_config") in official names.
Json official_config(const Case& c, const char* key) {
  Json config = c.json.at(key);
  if (c.dialect == "huggingface" && std::string_view(key) == "config") {
    if (c.json.contains("native_config"))
      config = c.json["native_config"];
    else if (c.system->from_huggingface)
      config = c.system->from_huggingface(config, c.where);
    else
      throw unsupported_error("{}: the system \"{}\" has no Hugging Face configurations", c.where,
                              c.system->name);
  }
  c.system->select_class(c.text("model"), config);
  if (c.system->adopt_dialect)
    c.system->adopt_dialect(c.dialect.empty() ? "official" : c.dialect, config);
  return c.system->complete(config, c.where);
}

fs::path weights_file(const Case& c) {
  const auto kind = c.text("weights");
  if (kind != "safetensors" && kind != "pth" && kind != "npz")
    throw unsupported_error("{}: weights \"{}\" are not supported", c.where, kind);
  return c.folder / ("weights." + kind);
}

NamedTensors read_weights(const Case& c, const Json& config) {
  const auto file = weights_file(c);
  return translate(c.system->dialects(config), Checkpoint::open(file).state_dict(), file.string());
}

std::string procedure_of(const Case& c) {
  const auto procedure = c.text("procedure");
  if (procedure.starts_with("timm")) return "timm";
  if (procedure.starts_with("deit")) return "deit";
  if (procedure.starts_with("official")) return "official";
  return procedure;
}

/// The model of `config` with the case's weights, in evaluation mode.
std::shared_ptr<Model> build_case_model(const Case& c, const Json& config) {
  auto model = build(c.system->name, config);
  model->eval();
  if (c.text("weights") == "formula") {
    fill_by_formula(*model);
    return model;
  }
  auto state = read_weights(c, config);
  if (c.json.contains("source_config")) state = model->adapt(state, {.procedure = procedure_of(c)});
  load_state(*model, state, weights_file(c).string());
  return model;
}

/// What the inputs of a model before its transfer are called.
constexpr std::string_view kSource = "_source";

/// The inputs of the model, or of the one before its transfer, under the names that models know.
Inputs inputs_of(const Case& c, std::string_view ending = "") {
  Inputs inputs;
  for (const auto& [name, spec] : c.json.at("tensors").items()) {
    if (!name.starts_with("in.") || name.ends_with(kSource) != (ending == kSource)) continue;
    const auto* stored = find(c.golden, name);
    if (!stored && spec.value("stored", true))
      throw input_error((c.folder / "golden.safetensors").string(), "{} is missing", name);
    const auto tensor =
        stored ? *stored
               : formula_input(spec.value("formula", name), spec.at("shape").get<Shape>());
    inputs.set(name.substr(3, name.size() - 3 - ending.size()), nn::to_torch(tensor));
  }
  return inputs;
}

/// Everything that a run offers, under the names of the case.
using Offered = std::map<std::string, HostTensor>;

/// The model's outputs, or those of what stands in for it.
NamedTensors answers(Model& model, const Inputs& inputs, const VerifyOptions& options) {
  const torch::NoGradGuard no_grad;
  NamedTensors out;
  if (!options.engine) {
    for (const auto& [name, value] : model.forward(inputs))
      out.emplace_back(name, nn::to_host(value));
    return out;
  }
  NamedTensors given;
  for (const auto& [name, value] : inputs) given.emplace_back(name, nn::to_host(value));
  return options.engine(model, given)->run(given);
}

void run_model(const Case& c, Model& model, const VerifyOptions& options, Offered& offered) {
  const auto observe = [&](const std::string& path, const torch::Tensor& value) {
    const auto wanted = "mid." + path;
    if (c.json["tensors"].contains(wanted)) offered[wanted] = nn::to_host(value.clone());
    if (!c.dialect.empty()) offered["place." + path] = nn::to_host(value.clone());
  };
  // Observed models compute attention otherwise, so a tracer must not be observed.
  std::optional<nn::ObserverScope> scope;
  if (!options.engine) scope.emplace(observe);
  for (auto& [name, value] : answers(model, inputs_of(c), options))
    offered["out." + name] = std::move(value);
}

void run_with_tanh_gelu(const Case& c, Json config, const VerifyOptions& options,
                        Offered& offered) {
  config["act_layer"] = "gelu_tanh";
  const auto model = build_case_model(c, config);
  Offered own;
  run_model(c, *model, options, own);
  offered["out.logits_tanh"] = own.at("out.logits");
}

/// The model before its transfer, on its own pictures.
void run_source(const Case& c, const VerifyOptions& options, Offered& offered) {
  const auto config = official_config(c, "source_config");
  const auto model = build(c.system->name, config);
  model->eval();
  load_state(*model, read_weights(c, config), weights_file(c).string());
  offered["out.logits_source"] = *find(answers(*model, inputs_of(c, kSource), options), "logits");
}

/// Parameters and derived tensors that the case asks for among its intermediates.
void offer_state(const Case& c, const Model& model, Offered& offered) {
  const auto wanted = [&](const std::string& name) {
    return c.json["tensors"].contains("mid." + name);
  };
  for (const auto& [name, tensor] : nn::named_state(model))
    if (wanted(name)) offered["mid." + name] = nn::to_host(tensor);
  for (const auto& derived : model.derived())
    if (wanted(derived.name)) offered["mid." + derived.name] = derived.value();
}

/// The tensor's own tolerance, else the case's.
const Json& tolerance_of(const Case& c, const std::string& name) {
  const auto& tensors = c.json.at("tensors");
  const auto own = tensors.find(name);
  return own != tensors.end() && own->contains("atol") ? *own : c.json.at("tolerance");
}

TensorResult compare(const std::string& name, const HostTensor& golden, const HostTensor* actual,
                     const Json& spec) {
  TensorResult result{name, std::numeric_limits<double>::infinity(), spec.value("atol", 0.0),
                      spec.value("rtol", 0.0), false};
  if (!actual || actual->shape() != golden.shape()) return result;
  const auto expected_tensor = to_float(golden), actual_tensor = to_float(*actual);
  const auto expected = expected_tensor.as<float>(), given = actual_tensor.as<float>();
  result.max_abs = 0.0;
  result.ok = true;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(double{given[i]} - double{expected[i]});
    if (!(difference <= result.atol + result.rtol * std::abs(double{expected[i]})))
      result.ok = false;
    if (std::isnan(difference)) result.max_abs = std::numeric_limits<double>::infinity();
    result.max_abs = std::max(result.max_abs, difference);
  }
  return result;
}

/// A compiled model may differ by rounding, measured by the output's largest number.
Json compiled_tolerance(Json tolerance, const HostTensor& golden) {
  constexpr double kRelative = 1e-4;
  double scale = 0.0;
  const auto values = to_float(golden);
  for (const float x : values.as<float>()) scale = std::max(scale, std::abs(double{x}));
  tolerance["atol"] = std::max(tolerance.value("atol", 0.0), kRelative * scale);
  return tolerance;
}

/// The value for a golden tensor, if there is one: intermediates of a dialect lie at its own
/// places, where feature maps may be [B, H, W, C] instead of tokens.
std::optional<HostTensor> offered_for(const Offered& offered, const checkpoint::Dialect* dialect,
                                      const std::string& name, const Shape& shape) {
  if (!dialect || dialect->places.empty() || !name.starts_with("mid.")) {
    const auto it = offered.find(name);
    return it == offered.end() ? std::nullopt : std::optional(it->second);
  }
  const auto it =
      offered.find("place." + official_place(*dialect, std::string_view(name).substr(4)));
  if (it == offered.end()) return std::nullopt;
  const auto& found = it->second;
  if (numel(shape) != found.numel()) return found;
  return HostTensor(found.dtype(), shape, found.bytes(), std::make_shared<HostTensor>(found));
}

void check_tensors(const Case& c, const Json& config, const VerifyOptions& options,
                   const Offered& offered, CaseResult& result) {
  const auto dialects = c.system->dialects(config);
  const auto dialect = std::ranges::find(dialects, c.dialect, &checkpoint::Dialect::name);
  for (const auto& [name, golden] : c.golden) {
    if (name.starts_with("in.")) continue;
    const auto actual =
        offered_for(offered, dialect == dialects.end() ? nullptr : &*dialect, name, golden.shape());
    if (!actual && name.starts_with("mid.") && (!c.dialect.empty() || options.engine)) {
      result.skipped.push_back(name);
      continue;
    }
    const auto& own = tolerance_of(c, name);
    result.tensors.push_back(compare(name, golden, actual ? &*actual : nullptr,
                                     options.engine ? compiled_tolerance(own, golden) : own));
  }
  if (!std::ranges::all_of(result.tensors, &TensorResult::ok))
    result.status = CaseResult::Status::failed;
}

void run_case(const Case& c, const VerifyOptions& options, CaseResult& result) {
  const auto config = official_config(c, "config");
  const auto model = build_case_model(c, config);
  Offered offered;
  run_model(c, *model, options, offered);
  offer_state(c, *model, offered);
  if (find(c.golden, "out.logits_source")) run_source(c, options, offered);
  if (find(c.golden, "out.logits_tanh")) run_with_tanh_gelu(c, config, options, offered);
  check_tensors(c, config, options, offered, result);
}

}  // namespace

std::vector<fs::path> find_cases(const fs::path& folder) {
  std::vector<fs::path> cases;
  if (fs::exists(folder / "case.json")) cases.push_back(folder);
  if (fs::is_directory(folder))
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().filename() == "case.json" && entry.path().parent_path() != folder)
        cases.push_back(entry.path().parent_path());
  if (cases.empty())
    throw usage_error("{}: no golden case here (a folder with a case.json)", folder.string());
  std::ranges::sort(cases);
  return cases;
}

CaseResult verify_case(const fs::path& folder, const VerifyOptions& options) {
  CaseResult result;
  result.folder = folder;
  using Status = CaseResult::Status;
  try {
    const auto c = read_case(folder);
    result.system = c.system->name;
    run_case(c, options, result);
  } catch (const Error& e) {
    result.status = e.kind() == ErrorKind::not_supported ? Status::unsupported : Status::unreadable;
    result.message = e.what();
  } catch (const Json::exception& e) {
    result.status = Status::unreadable;
    result.message = fmt::format("{}: {}", (folder / "case.json").string(), e.what());
  } catch (const c10::Error& e) {
    result.status = Status::failed;
    result.message = e.what_without_backtrace();
  }
  return result;
}

}  // namespace saccade::models
