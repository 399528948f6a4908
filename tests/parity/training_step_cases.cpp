// Training cases that need a model of the zoo: parameter groups, drop rates, whole training steps.

#include <algorithm>

#include "saccade/base/error.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/checkpoint/dialect.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/load.h"
#include "saccade/models/registry.h"
#include "saccade/nn/drop.h"
#include "saccade/train/losses.h"
#include "saccade/train/optim/clip_grad.h"
#include "saccade/train/optim/optimizer.h"
#include "tests/parity/training_check.h"

namespace saccade::parity {
namespace {

using torch::Tensor;

/// Groups as timm lists them where its names, and with them its order, are not the official ones:
/// renamed, names sorted, groups in the order of their rates.
void as_in_timm(const checkpoint::Dialect& timm, std::vector<train::ParamGroup>& groups) {
  for (auto& group : groups) {
    for (auto& name : group.names)
      name = checkpoint::from_official(timm, {{name, HostTensor(DType::F32, {1})}})[0].first;
    std::ranges::sort(group.names);
  }
  std::ranges::sort(groups, {}, [](const train::ParamGroup& group) {
    return std::pair(group.lr_scale, group.weight_decay);
  });
}

Json sorted_groups(const Json& groups) {
  std::vector<Json> sorted(groups.begin(), groups.end());
  for (auto& group : sorted) {
    auto names = group.at("names").get<std::vector<std::string>>();
    std::ranges::sort(names);
    group["names"] = names;
  }
  std::ranges::sort(sorted, {}, [](const Json& group) {
    return std::pair(group.value("lr_scale", 1.0), group.at("weight_decay").get<double>());
  });
  return sorted;
}

void check_groups(TrainingCheck& check, const std::string& what,
                  const std::vector<train::ParamGroup>& groups, const Json& expected) {
  check.number(what + ": groups", static_cast<double>(groups.size()), Json(expected.size()), 0);
  for (size_t g = 0; g < std::min(groups.size(), expected.size()); ++g) {
    const auto where = fmt::format("{}: group {}", what, g);
    check.text(where, Json(groups[g].names).dump(), expected[g].at("names").dump());
    check.number(where + ": weight_decay", groups[g].weight_decay, expected[g].at("weight_decay"),
                 1e-12);
    if (expected[g].contains("lr_scale"))
      check.number(where + ": lr_scale", groups[g].lr_scale, expected[g]["lr_scale"], 1e-12);
  }
}

/// ModelEma and Lamb aside, what timm calls by class name.
std::string system_of(const std::string& model) {
  return model == "VisionTransformerDistilled" ? "deit" : "vit";
}

/// The base loss of a case: "ls" is label smoothing 0.1, "soft" takes in.soft, "ce" the labels.
Tensor base_loss(const TrainingCheck& check, const std::string& name, const Tensor& logits) {
  if (name == "soft") return train::soft_target_cross_entropy(logits, check.in("soft"));
  const auto labels = check.in("labels");
  if (name == "ls") return train::label_smoothing_cross_entropy(logits, labels, 0.1);
  if (name == "ce") return train::cross_entropy(logits, labels);
  if (name == "bce") return train::binary_cross_entropy(logits, labels, {});
  throw unsupported_error("training steps with the loss '{}'", name);
}

struct Step {
  Tensor loss;
  std::vector<Tensor> logits;
};

Step forward(const TrainingCheck& check, models::Model& model) {
  const auto& expected = check.expected();
  const auto outputs = model.forward({{"images", check.in("images")}});
  const auto loss = expected.at("loss").get<std::string>();
  if (!outputs.contains("logits_dist")) {
    const auto& logits = outputs["logits"];
    return {base_loss(check, loss, logits), {logits}};
  }
  const auto &cls = outputs["logits_cls"], &dist = outputs["logits_dist"];
  const auto& distill = expected.at("options").at("distill");
  return {train::distillation_loss(base_loss(check, loss, cls), dist, check.in("teacher"),
                                   {train::parse_distillation(distill.at("distillation_type")),
                                    distill.at("alpha"), distill.at("tau")}),
          {cls, dist}};
}

train::OptimizerConfig optimizer_config(const Json& spec) {
  train::OptimizerConfig config;
  config.name = spec.at("opt");
  config.momentum = spec.value("momentum", 0.0);
  config.nesterov = spec.value("nesterov", config.name == "sgd");  // timm's "sgd" is Nesterov's
  if (config.name == "momentum") config.name = "sgd";
  if (config.name == "lion") config.beta2 = 0.99;
  if (spec.contains("betas")) config.beta1 = spec["betas"][0], config.beta2 = spec["betas"][1];
  if (spec.contains("eps")) config.eps = spec["eps"].get<double>();
  return config;
}

/// The key third of qkv.bias has no gradient in exact arithmetic; Adam amplifies its rounding.
Tensor comparable(const std::string& name, const Tensor& actual, const Tensor& expected) {
  if (!name.ends_with("attn.qkv.bias")) return actual;
  auto out = actual.detach().clone();
  const int64_t third = out.size(0) / 3;
  out.slice(0, third, 2 * third).copy_(expected.slice(0, third, 2 * third));
  return out;
}

}  // namespace

void run_param_groups(TrainingCheck& check) {
  const double weight_decay = check.config().at("weight_decay");
  for (const auto& [name, spec] : check.expected().items()) {
    const auto* preset = models::find_preset(name);
    if (!preset) {
      check.skip(name + " is not in the zoo");
      continue;
    }
    const auto model = models::build(preset->system, preset->config, torch::kMeta);
    const auto parameters = train::unique_parameters(*model);
    const auto no_decay = model->no_weight_decay();
    const auto dialects = models::find_system(preset->system).dialects(preset->config);
    const auto timm = std::ranges::find(dialects, "timm", &checkpoint::Dialect::name);
    for (const auto& [kind, expected] : spec.items()) {
      if (kind == "no_weight_decay") continue;  // shows in the groups
      auto groups =
          kind == "weight_decay"
              ? train::weight_decay_groups(parameters, weight_decay, no_decay)
              : train::layer_decay_groups(parameters, weight_decay, no_decay,
                                          std::stod(kind.substr(kind.rfind('_') + 1)),
                                          [&](auto path) { return model->layer_id(path); });
      if (timm != dialects.end()) as_in_timm(*timm, groups);
      check_groups(check, name + ", " + kind, groups,
                   timm == dialects.end() ? expected : sorted_groups(expected));
    }
  }
}

void run_drop_and_init(TrainingCheck& check) {
  for (const auto& spec : check.expected().at("rates")) {
    const auto& depths = spec.at("depths");
    int64_t total = 0;
    if (depths.is_array())
      for (const auto& depth : depths) total += depth.get<int64_t>();
    else
      total = depths;
    for (int64_t i = 0; i < total; ++i)
      check.number(fmt::format("drop path {} of {}", i, total),
                   nn::drop_path_rate(spec.at("rate"), i, total),
                   spec.at("rates").at(static_cast<size_t>(i)), 1e-7);
  }
  check.skip("masks and uniform numbers of drop path and truncated normals cannot be handed in");
}

void run_train_steps(TrainingCheck& check) {
  const auto& expected = check.expected();
  const auto& c = check.source();
  const auto& system = models::find_system(system_of(c.model));
  Json config = check.config();
  system.select_class(c.model, config);
  const auto model = models::build(system.name, config);
  models::load_state(*model,
                     checkpoint::Checkpoint::open(c.folder / "weights.safetensors").state_dict(),
                     (c.folder / "weights.safetensors").string());
  model->train();
  const auto parameters = train::unique_parameters(*model);
  const auto& spec = expected.at("optimizer");
  auto groups = train::weight_decay_groups(parameters, spec.value("weight_decay", 0.0),
                                           model->no_weight_decay());
  check_groups(check, "groups", groups, expected.at("groups"));
  const auto optimizer = train::make_optimizer(optimizer_config(spec), groups);
  const auto rates = expected.at("lrs").get<std::vector<double>>();
  std::vector<double> losses, norms;
  for (size_t s = 0; s < rates.size(); ++s) {
    const auto step = forward(check, *model);
    step.loss.backward();
    losses.push_back(step.loss.item<double>());
    norms.push_back(train::global_grad_norm(optimizer->params()).item<double>());
    if (s == 0) {
      for (size_t i = 0; i < step.logits.size(); ++i)
        check.tensor(fmt::format("logits{}", i), step.logits[i]);
      for (const auto& [name, parameter] : parameters)
        if (check.has("out.grad." + name)) check.tensor("grad." + name, parameter.grad());
    }
    if (const auto clip = expected.at("options").value("clip", Json()); clip.is_object())
      train::clip_grad(optimizer->params(), clip.at("value"),
                       train::parse_clip_mode(clip.value("mode", "norm")));
    optimizer->step(std::vector<double>(groups.size(), rates[s]));
    optimizer->zero_grad();
  }
  check.tensor("losses", torch::tensor(losses, torch::kFloat64));
  check.tensor("grad_norms", torch::tensor(norms, torch::kFloat64));
  for (const auto& [name, parameter] : parameters)
    if (check.has("out.param." + name))
      check.tensor("param." + name, comparable(name, parameter, check.golden("out.param." + name)));
}

}  // namespace saccade::parity
