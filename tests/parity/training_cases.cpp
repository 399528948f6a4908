// Cases of the system "training" and DeiT's distillation loss. Pictures (augmentation) and whole
// training steps have their own files beside this one.

#include <functional>
#include <map>

#include <fmt/format.h>
#include <torch/torch.h>

#include "saccade/nn/host.h"
#include "saccade/train/losses.h"
#include "saccade/train/mixup.h"
#include "saccade/train/optim/clip_grad.h"
#include "saccade/train/optim/ema.h"
#include "saccade/train/optim/optimizer.h"
#include "saccade/train/optim/schedule.h"
#include "tests/parity/golden.h"
#include "tests/parity/training_check.h"

namespace saccade::parity {
namespace {

using torch::Tensor;

/// Reads timm's and torch's option names into fields that are called otherwise here.
template <class T>
void take(const Json& options, const char* key, T& out) {
  const auto found = options.find(key);
  if (found != options.end() && !found->is_null()) out = found->get<T>();
}

void check_loss(TrainingCheck& check, const std::string& name, const Tensor& loss,
                const std::vector<std::pair<std::string, Tensor>>& inputs) {
  loss.backward();
  check.tensor(name + ".loss", loss);
  for (const auto& [suffix, input] : inputs) {
    const auto key = name + "." + suffix;
    if (!check.has("out." + key)) continue;
    check.tensor(key, input.grad().defined() ? input.grad() : torch::zeros_like(input));
  }
}

void run_losses(TrainingCheck& check) {
  for (const auto& [name, options] : check.expected().items()) {
    auto logits = check.in("logits").requires_grad_(), kd = Tensor();
    const auto target = check.golden(options.at("target"));
    Tensor loss;
    if (options.contains("kd")) {
      kd = check.golden(options.at("kd")).requires_grad_();
      // "label smoothing 0.1", as DeiT's main.py has it
      const auto base = train::label_smoothing_cross_entropy(logits, target, 0.1);
      loss = train::distillation_loss(
          base, kd, check.golden(options.at("teacher")),
          {train::parse_distillation(options.at("type")), options.at("alpha"), options.at("tau")});
    } else if (name.starts_with("bce")) {
      train::BinaryCrossEntropyOptions bce;
      take(options, "smoothing", bce.smoothing);
      if (options.contains("target_threshold")) bce.target_threshold = options["target_threshold"];
      if (options.contains("pos_weight")) bce.pos_weight = check.golden(options["pos_weight"]);
      take(options, "sum_classes", bce.sum_classes);
      take(options, "smooth_dense", bce.smooth_dense);
      loss = train::binary_cross_entropy(logits, target, bce);
    } else if (target.dim() == 2) {
      loss = train::soft_target_cross_entropy(logits, target);
    } else if (options.contains("smoothing") || options.contains("label_smoothing")) {
      double smoothing = 0.0;
      take(options, "smoothing", smoothing);
      take(options, "label_smoothing", smoothing);
      loss = train::label_smoothing_cross_entropy(logits, target, smoothing);
    } else {
      loss = train::cross_entropy(logits, target);
    }
    std::vector<std::pair<std::string, Tensor>> inputs{{"grad", logits}};
    if (kd.defined()) inputs.emplace_back("grad_kd", kd);
    check_loss(check, name, loss, inputs);
  }
}

/// "ce", "softtarget", or "smooth" with the smoothing behind it.
Tensor deit_base(const std::string& base, const Tensor& logits, const Tensor& labels) {
  if (base == "ce") return train::cross_entropy(logits, labels);
  if (base == "softtarget") return train::soft_target_cross_entropy(logits, labels);
  return train::label_smoothing_cross_entropy(logits, labels, std::stod(base.substr(6)));
}

void run_deit_loss(TrainingCheck& check) {
  for (const auto& run : check.config().at("runs")) {
    auto cls = check.in("logits_cls").requires_grad_();
    auto dist = check.in("logits_dist").requires_grad_();
    const auto base = deit_base(run.at("base"), cls, check.in(run.at("labels")));
    const auto loss = train::distillation_loss(
        base, dist, check.in("teacher_logits"),
        {train::parse_distillation(run.at("distillation_type")), run.at("alpha"), run.at("tau")});
    check_loss(check, run.at("name"), loss, {{"grad_logits_cls", cls}, {"grad_logits_dist", dist}});
  }
}

train::OptimizerConfig optimizer_config(const std::string& cls, const Json& options) {
  train::OptimizerConfig c;
  c.name = cls.substr(cls.rfind('.') + 1);
  for (char& letter : c.name) letter = static_cast<char>(std::tolower(letter));
  if (c.name == "lion") c.beta2 = 0.99;
  if (options.contains("betas")) c.beta1 = options["betas"][0], c.beta2 = options["betas"][1];
  if (options.contains("eps")) c.eps = options["eps"].get<double>();
  if (options.contains("max_grad_norm")) {
    const auto& norm = options["max_grad_norm"];
    c.max_grad_norm = norm.is_null() ? std::nullopt : std::optional(norm.get<double>());
  }
  take(options, "amsgrad", c.amsgrad), take(options, "momentum", c.momentum);
  take(options, "dampening", c.dampening), take(options, "nesterov", c.nesterov);
  take(options, "bias_correction", c.bias_correction);
  take(options, "grad_averaging", c.grad_averaging);
  take(options, "trust_clip", c.trust_clip), take(options, "always_adapt", c.always_adapt);
  take(options, "decoupled_decay", c.decoupled_decay), take(options, "caution", c.caution);
  return c;
}

void run_optimizers(TrainingCheck& check) {
  const auto& expected = check.expected();
  const auto no_decay = expected.at("no_decay").get<std::vector<std::string>>();
  const auto rates = expected.at("lrs").get<std::vector<double>>();
  for (const auto& [name, spec] : expected.at("optimizers").items()) {
    std::vector<train::ParamGroup> groups(2);
    groups[0].weight_decay = spec.at("weight_decay");
    for (const auto& param : check.names("in.param.")) {
      const bool plain = std::find(no_decay.begin(), no_decay.end(), param) != no_decay.end();
      auto& group = groups[plain ? 1 : 0];
      group.names.push_back(param);
      group.params.push_back(check.in("param." + param).requires_grad_());
    }
    const auto optimizer = train::make_optimizer(
        optimizer_config(spec.at("cls"), spec.at("options")), std::move(groups));
    for (size_t step = 0; step < rates.size(); ++step) {
      for (const auto& group : optimizer->groups())
        for (size_t i = 0; i < group.names.size(); ++i) {
          auto param = group.params[i];
          param.mutable_grad() = check.in(fmt::format("grad.{}.{}", step, group.names[i]));
        }
      optimizer->step({rates[step], rates[step]});
      for (const auto& group : optimizer->groups())
        for (size_t i = 0; i < group.names.size(); ++i)
          check.tensor(fmt::format("{}.{}.{}", name, step, group.names[i]), group.params[i]);
    }
  }
}

void run_clip(TrainingCheck& check) {
  for (const auto& [name, options] : check.expected().items()) {
    std::vector<Tensor> params;
    const auto names = check.names("in.param.");
    for (const auto& param : names) {
      params.push_back(check.in("param." + param).requires_grad_());
      params.back().mutable_grad() = check.in("grad." + param);
    }
    const double norm_type = std::stod(options.at("norm_type").get<std::string>());
    check.number(name + ": total norm", train::global_grad_norm(params, norm_type).item<double>(),
                 options.at("total_norm_before"), 1e-5);
    train::clip_grad(params, options.at("value"), train::parse_clip_mode(options.at("mode")),
                     norm_type);
    for (size_t i = 0; i < names.size(); ++i) check.tensor(name + "." + names[i], params[i].grad());
  }
}

void run_ema(TrainingCheck& check) {
  const auto steps = check.expected().at("steps").get<std::vector<int64_t>>();
  auto names = check.names("in.model.init.");
  // Buffers behind the parameters: running statistics and counters of batch norm.
  const auto first_buffer = std::stable_partition(names.begin(), names.end(), [](auto& name) {
    return name.find("running_") == name.npos && name.find("num_batches") == name.npos;
  });
  const auto buffers = static_cast<size_t>(names.end() - first_buffer);
  const auto state = [&](const std::string& prefix) {
    std::vector<Tensor> out;
    for (const auto& name : names) out.push_back(check.in("model." + prefix + "." + name));
    return out;
  };
  // Averages can only be checked against states that move.
  if (torch::equal(state("init").front(), state("1").front()) &&
      torch::equal(state("1").front(), state("2").front())) {
    check.skip("the recorded model states are all the same one");
    return;
  }
  for (const auto& [name, spec] : check.expected().items()) {
    if (!spec.is_object()) continue;
    const auto& options = spec.at("options");
    train::EmaConfig config;
    config.rule = spec.at("cls") == "ModelEmaV2" ? train::EmaRule::v2 : train::EmaRule::v3;
    take(options, "decay", config.decay), take(options, "use_warmup", config.use_warmup);
    take(options, "warmup_gamma", config.warmup_gamma);
    take(options, "warmup_power", config.warmup_power);
    take(options, "min_decay", config.min_decay);
    take(options, "update_after_step", config.update_after_step);
    take(options, "exclude_buffers", config.exclude_buffers);
    const bool with_step = spec.at("step_passed");
    if (spec.at("decay_by_step").is_array())
      for (size_t i = 0; i < steps.size(); ++i)
        check.number(fmt::format("{}: decay at {}", name, steps[i]),
                     train::ema_decay(config, steps[i]), spec["decay_by_step"][i], 1e-12);
    auto average = state("init");
    for (int64_t update = 1; check.has(fmt::format("in.model.{}.{}", update, names[0])); ++update) {
      train::ema_update(config, average, state(std::to_string(update)), buffers,
                        with_step ? std::optional(update) : std::nullopt);
      for (size_t i = 0; i < names.size(); ++i)
        check.tensor(fmt::format("{}.{}.{}", name, update, names[i]), average[i]);
    }
  }
}

train::MixupConfig mixup_config(const Json& options) {
  train::MixupConfig c;
  c.mixup_alpha = 1.0;
  take(options, "mixup_alpha", c.mixup_alpha), take(options, "cutmix_alpha", c.cutmix_alpha);
  if (options.contains("cutmix_minmax") && !options["cutmix_minmax"].is_null())
    c.cutmix_minmax = {options["cutmix_minmax"][0], options["cutmix_minmax"][1]};
  take(options, "prob", c.prob), take(options, "switch_prob", c.switch_prob);
  if (options.contains("mode")) c.mode = train::parse_mixup_mode(options["mode"]);
  take(options, "correct_lam", c.correct_lam);
  take(options, "label_smoothing", c.label_smoothing);
  return c;
}

/// The recorded draws; boxes belong to the draws that cut, in order.
std::vector<train::MixDraw> recorded_draws(const Json& spec) {
  const auto list = [](const Json& value) {
    return value.is_array() ? value : Json::array({value});
  };
  const auto lams = list(spec.at("drawn").at("lam")), cuts = list(spec["drawn"].at("use_cutmix"));
  std::vector<train::MixDraw> draws;
  size_t box = 0;
  for (size_t i = 0; i < lams.size(); ++i) {
    train::MixDraw draw{lams[i], cuts[i], {}};
    if (draw.use_cutmix && draw.lam != 1.0) {
      const auto& entry = spec.at("cutmix").at(box++);
      const auto& b = entry.at("bbox_yl_yh_xl_xh");
      draw.box = {b[0], b[1], b[2], b[3]};
      draw.lam = entry.at("lam");
    }
    draws.push_back(draw);
  }
  return draws;
}

void run_mixup(TrainingCheck& check) {
  for (const auto& [name, spec] : check.expected().items()) {
    auto images = check.in("images");
    const auto config = mixup_config(spec.at("options"));
    const auto draws = recorded_draws(spec);
    for (const auto& draw : draws)
      if (draw.use_cutmix && draw.lam != 1.0 && (config.correct_lam || config.cutmix_minmax))
        check.number(name + ": lambda of the box",
                     train::box_lam(draw.box, images.size(2), images.size(3)), draw.lam, 1e-12);
    const auto target = train::apply_mixup(config, draws, images, check.in("labels"),
                                           spec["options"].at("num_classes"));
    check.tensor(name + ".images", images);
    check.tensor(name + ".target", target);
  }
}

/// timm's create_scheduler_v2 options, and those of the wrapped schedules.
train::ScheduleConfig schedule_config(const std::string& name, const Json& spec, bool by_update) {
  const auto& o = spec.at("options");
  train::ScheduleConfig c;
  c.name = o.value("sched", name.substr(0, name.find("_ts")));
  take(o, "num_epochs", c.t_initial), take(o, "warmup_epochs", c.warmup_t);
  take(o, "warmup_lr", c.warmup_lr), take(o, "min_lr", c.min_lr);
  take(o, "warmup_prefix", c.warmup_prefix), take(o, "decay_epochs", c.decay_t);
  take(o, "decay_milestones", c.milestones), take(o, "decay_rate", c.decay_rate);
  take(o, "cycle_mul", c.cycle_mul), take(o, "cycle_decay", c.cycle_decay);
  take(o, "cycle_limit", c.cycle_limit), take(o, "k_decay", c.k_decay);
  take(o, "patience_epochs", c.patience_t), take(o, "patience_t", c.patience_t);
  take(o, "warmup_t", c.warmup_t), take(o, "warmup_lr_init", c.warmup_lr);
  take(o, "lr_min", c.min_lr), take(o, "threshold", c.threshold);
  take(o, "cooldown_t", c.cooldown_t);
  if (o.contains("mode")) c.maximize = o["mode"] == "max";
  take(o, "milestones", c.milestones), take(o, "gamma", c.decay_rate);
  take(o, "step_size", c.decay_t), take(o, "T_max", c.t_initial), take(o, "eta_min", c.min_lr);
  take(o, "lr_end", c.lr_end), take(o, "power", c.power), take(o, "num_cycles", c.num_cycles);
  if (o.contains("timescale")) c.timescale = o["timescale"].get<double>();
  if (c.name.starts_with("hf_")) {
    take(spec, "num_training_steps", c.t_initial), take(spec, "num_warmup_steps", c.warmup_t);
  }
  if (by_update) {
    const double scale = o.value("updates_per_epoch", 1);
    for (double* time : {&c.t_initial, &c.warmup_t, &c.decay_t}) *time *= scale;
    for (double& milestone : c.milestones) milestone *= scale;
  }
  return c;
}

void run_schedules(TrainingCheck& check) {
  for (const auto& [name, spec] : check.expected().items()) {
    const bool by_update = spec.value("by", "") == "update";
    const auto config = schedule_config(name, spec, by_update);
    const auto scales = spec.value("lr_scales", std::vector<double>{1.0});
    train::Schedule schedule(config, spec.at("base_lr"), scales);
    const auto row = [&](const std::string& where, const Json& rates) {
      for (size_t g = 0; g < scales.size(); ++g)
        check.number(fmt::format("{}: {} of group {}", name, where, g), schedule.rates()[g],
                     rates.is_array() ? rates[g] : rates, 1e-9);
    };
    if (spec.contains("lr_after_construction"))
      row("lr after construction", spec["lr_after_construction"]);
    for (size_t t = 0; t < spec.at("lr").size(); ++t) {
      const auto metric =
          spec.contains("metrics") ? std::optional(spec["metrics"][t].get<double>()) : std::nullopt;
      schedule.step(static_cast<double>(t), metric);
      row(fmt::format("lr at {}", t), spec["lr"][t]);
    }
  }
}

}  // namespace

std::optional<Outcome> run_training_case(const Case& c) {
  static const std::map<std::string, std::function<void(TrainingCheck&)>> kRunners{
      {"auto_augment", run_augment_ops},
      {"deit_loss", run_deit_loss},
      {"dispatch_clip_grad", run_clip},
      {"drop_path, trunc_normal_", run_drop_and_init},
      {"losses", run_losses},
      {"Mixup", run_mixup},
      {"ModelEma", run_ema},
      {"optimizers", run_optimizers},
      {"param_groups", run_param_groups},
      {"RandomErasing", run_random_erasing},
      {"schedules", run_schedules},
  };
  if (c.system != "training" && c.kind != "deit_loss") return std::nullopt;
  TrainingCheck check(c);
  if (const auto found = kRunners.find(c.kind); found != kRunners.end())
    found->second(check);
  else if (c.json.value("weights", "none") != "none")
    run_train_steps(check);
  else
    return Outcome{Status::unsupported, "training cases of kind " + c.kind};
  return check.outcome();
}

}  // namespace saccade::parity
