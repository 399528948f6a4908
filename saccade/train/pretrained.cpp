#include "saccade/train/pretrained.h"

#include "saccade/base/error.h"
#include "saccade/models/load.h"
#include "saccade/models/open.h"
#include "saccade/train/optim/param_groups.h"
#include "saccade/train/snapshot.h"

namespace saccade::train {
namespace {

NamedTensors host_state(const torch::nn::Module& module) {
  NamedTensors out;
  for (const auto& [name, tensor] : unique_state(module)) out.emplace_back(name, to_host(tensor));
  return out;
}

}  // namespace

std::vector<std::string> load_pretrained(models::Model& model, const std::string& system,
                                         const std::string& what) {
  const auto opened = models::open(what);
  if (opened.about.system != system)
    throw usage_error("model.init {}: a checkpoint of '{}', the recipe trains '{}'", what,
                      opened.about.system, system);
  auto theirs = host_state(*opened.model);
  const bool other_head = opened.model->num_classes() != model.num_classes();
  if (other_head)
    std::erase_if(theirs, [](const auto& item) { return item.first.starts_with("head"); });
  auto state = model.adapt(theirs, {model.procedures().front()});
  const auto own = host_state(model);
  std::vector<std::string> kept;
  if (other_head) {
    for (const auto& [name, tensor] : own)
      if (name.starts_with("head")) {
        state.emplace_back(name, tensor);
        kept.push_back(name);
      }
  }
  models::load_state(model, state, what);
  return kept;
}

std::shared_ptr<models::Model> open_teacher(const std::string& what, const Pipeline& pipeline,
                                            int64_t num_classes) {
  const auto opened = models::open(what);
  if (opened.model->num_classes() != num_classes)
    throw usage_error("distillation.teacher {}: {} classes, the data set has {}", what,
                      opened.model->num_classes(), num_classes);
  const auto& theirs = opened.about.pipeline;
  if (theirs.mean != pipeline.mean || theirs.std != pipeline.std)
    throw usage_error(
        "distillation.teacher {}: it sees pictures with another mean and std than the recipe's "
        "[pipeline]",
        what);
  for (auto& parameter : opened.model->parameters()) parameter.requires_grad_(false);
  return opened.model;
}

}  // namespace saccade::train
