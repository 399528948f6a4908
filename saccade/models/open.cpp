#include "saccade/models/open.h"

#include <algorithm>

#include "saccade/base/error.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/load.h"
#include "saccade/models/registry.h"
#include "saccade/nn/host.h"

namespace saccade::models {
namespace {

using checkpoint::Checkpoint;

/// The preset's configuration with the class count that the file's head has.
Json with_classes_of(const Preset& preset, const NamedTensors& state) {
  Json config = preset.config;
  if (const auto* head = find(state, "head.weight"); head && !head->shape().empty())
    config["num_classes"] = head->shape()[0];
  return config;
}

bool fits(const Preset& preset, const NamedTensors& state) {
  const auto model = build(preset.system, with_classes_of(preset, state), torch::kMeta);
  const auto wanted = nn::named_state(*model);
  const auto has = [&](const std::string& name, const Shape& shape) {
    const auto* given = find(state, name);
    return given && given->shape() == shape;
  };
  const auto derived = std::ranges::count_if(
      model->derived(), [&](const auto& item) { return has(item.name, item.shape); });
  return std::ssize(wanted) + derived == std::ssize(state) &&
         std::ranges::all_of(
             wanted, [&](const auto& item) { return has(item.first, nn::shape_of(item.second)); });
}

struct Fit {
  const Preset* preset;
  const System* system;
};

/// The presets that a bare checkpoint fits. The wrapper of an official release decides between
/// systems whose tensors are alike. `problem` receives what a convention that names of the file
/// belong to has against it.
std::vector<Fit> matching_presets(const NamedTensors& tensors, const std::string& wrapper,
                                  const std::string& where, std::string& problem) {
  std::vector<Fit> found;
  for (const auto& system : systems())
    for (const auto& preset : system.presets) try {
        if (fits(preset, translate(system.dialects(preset.config), tensors, where)))
          found.push_back({&preset, &system});
      } catch (const Error& e) {
        problem = e.what();
      }
  const auto has_wrapper = [&](const Fit& fit) {
    return !wrapper.empty() && fit.system->release_wrapper == wrapper;
  };
  if (std::ranges::any_of(found, has_wrapper)) std::erase_if(found, std::not_fn(has_wrapper));
  return found;
}

/// Fills in what the tensors of a bare checkpoint tell.
void recognise(Description& about, const Checkpoint& file, const NamedTensors& tensors) {
  const auto where = file.path().string();
  std::string problem;
  const auto found = matching_presets(tensors, file.wrapper(), where, problem);
  if (found.empty() && !problem.empty()) throw Error(ErrorKind::bad_input, problem);
  if (found.empty())
    throw usage_error(
        "{}: no preset of the zoo has these tensors; say what the file is with --config FILE or "
        "--arch NAME",
        where);
  std::string names;
  for (const auto& fit : found) names += " " + fit.preset->name;
  if (found.size() > 1)
    throw usage_error("{}: several models fit:{}; choose one with --arch NAME", where, names);
  const auto& preset = *found.front().preset;
  about.system = preset.system;
  about.config = with_classes_of(
      preset, translate(found.front().system->dialects(preset.config), tensors, where));
  about.pipeline = preset.pipeline;
}

void load_weights(Opened& out) {
  const auto file = Checkpoint::open(*out.about.weights);
  const auto tensors = file.state_dict();
  const auto where = file.path().string();
  if (out.about.system.empty()) recognise(out.about, file, tensors);
  const auto& system = find_system(out.about.system);
  const auto state = translate(system.dialects(out.about.config), tensors, where, &out.dialect);
  if (system.adopt_dialect) system.adopt_dialect(out.dialect, out.about.config);
  out.model = build(out.about.system, out.about.config);
  load_state(*out.model, state, where);
}

/// Weights that training begins at zero would hide what a model computes.
void fill_zero_weights(Model& model) {
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model.parameters())
    if (parameter.dim() >= 2 && !parameter.any().item<bool>()) parameter.normal_(0.0, 0.02);
}

}  // namespace

Opened open(const std::string& what, const OpenOptions& options) {
  Opened out{describe(what, options.config, options.arch), nullptr, "official", false};
  if (out.about.weights) {
    load_weights(out);
  } else if (options.needs_weights) {
    throw usage_error(
        "{}: this names a model without weights; give the checkpoint file or folder (with --arch "
        "{} "
        "if it does not say what it is)",
        what, what);
  } else {
    out.model = build(out.about.system, out.about.config);
    torch::manual_seed(0);
    out.model->init_weights();
    fill_zero_weights(*out.model);
    out.random_weights = true;
  }
  out.model->eval();
  return out;
}

void refit(Opened& opened, const std::string& procedure) {
  const auto& about = opened.about;
  const auto model = build(about.system, about.config);
  const std::string how = procedure.empty() ? model->procedures().front() : procedure;
  load_state(*model, model->adapt(nn::state_dict(*opened.model), {.procedure = how}), about.name);
  opened.model = model;
}

Opened resized(const Opened& opened, Pair img_size) {
  Opened out = opened;
  try {
    const auto& system = find_system(out.about.system);
    out.about.config["img_size"] = img_size;
    if (system.inherit) system.inherit(opened.about.config, out.about.config);
    out.about.config = system.complete(out.about.config, "img_size");
    refit(out);
  } catch (const Error& e) {  // a size that the system refuses is no fault of a file
    throw unsupported_error("{}: not for pictures of {}x{}: {}", opened.about.name, img_size[0],
                            img_size[1], e.what());
  }
  out.about.pipeline = for_size(opened.about.pipeline, img_size[0], img_size[1]);
  out.model->eval();
  return out;
}

}  // namespace saccade::models
