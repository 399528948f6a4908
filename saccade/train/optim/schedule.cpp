#include "saccade/train/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "saccade/base/error.h"

namespace saccade::train {
namespace {

bool has_cycles(const std::string& name) {
  return name == "cosine" || name == "tanh" || name == "poly";
}

bool is_timm(const std::string& name) {
  return !name.starts_with("hf_") && !name.starts_with("torch_");
}

/// How many milestones lie at or before `t`.
double passed(const std::vector<double>& milestones, double t) {
  return static_cast<double>(std::upper_bound(milestones.begin(), milestones.end(), t) -
                             milestones.begin());
}

void validate(const ScheduleConfig& c) {
  const auto& names = schedule_names();
  if (std::find(names.begin(), names.end(), c.name) == names.end()) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    throw usage_error("schedule '{}': expected one of {}", c.name, list);
  }
  if (!(c.t_initial > 0)) throw usage_error("schedule: length {} is not positive", c.t_initial);
  if (c.warmup_t < 0 || c.min_lr < 0) throw usage_error("schedule: negative warm-up or min_lr");
  if (!(c.decay_t > 0)) throw usage_error("schedule: decay interval {} is not positive", c.decay_t);
  if (!(c.cycle_mul > 0)) throw usage_error("schedule: cycle_mul {} is not positive", c.cycle_mul);
}

}  // namespace

const std::vector<std::string>& schedule_names() {
  static const std::vector<std::string> names{
      "constant",  "cosine",  "hf_constant",  "hf_cosine",       "hf_inverse_sqrt",
      "hf_linear", "hf_poly", "multistep",    "plateau",         "poly",
      "step",      "tanh",    "torch_cosine", "torch_multistep", "torch_steplr"};
  return names;
}

double schedule_length(const ScheduleConfig& c) {
  double length = c.t_initial;
  if (has_cycles(c.name)) {
    const auto cycles = static_cast<double>(std::max<int64_t>(1, c.cycle_limit));
    length = c.cycle_mul == 1.0 ? c.t_initial * cycles
                                : std::floor(-c.t_initial * (std::pow(c.cycle_mul, cycles) - 1.0) /
                                             (1.0 - c.cycle_mul));
  }
  return c.warmup_prefix ? length + c.warmup_t : length;
}

Schedule::Schedule(const ScheduleConfig& config, double base_lr, std::vector<double> lr_scales)
    : c_(config), base_lr_(base_lr), lr_scales_(std::move(lr_scales)) {
  validate(c_);
  std::sort(c_.milestones.begin(), c_.milestones.end());
  rates_.resize(lr_scales_.size());
  if (is_timm(c_.name))
    set_rates(c_.warmup_t > 0 ? c_.warmup_lr : base_lr_);
  else
    set_rates(value(0));
}

void Schedule::set_rates(double lr) {
  for (size_t g = 0; g < rates_.size(); ++g) rates_[g] = lr * lr_scales_[g];
}

void Schedule::step(double t, std::optional<double> metric) {
  if (c_.name != "plateau") {
    set_rates(value(t));
  } else if (t <= c_.warmup_t) {
    const double slope = c_.warmup_t > 0 ? (base_lr_ - c_.warmup_lr) / c_.warmup_t : 1.0;
    set_rates(c_.warmup_t > 0 ? c_.warmup_lr + t * slope : base_lr_);
  } else if (metric) {
    step_plateau(*metric);
  }
}

/// torch.optim.lr_scheduler.ReduceLROnPlateau with threshold_mode "rel".
void Schedule::step_plateau(double metric) {
  const bool better = !best_ || (c_.maximize ? metric > *best_ * (1.0 + c_.threshold)
                                             : metric < *best_ * (1.0 - c_.threshold));
  if (better) {
    best_ = metric;
    bad_epochs_ = 0;
  } else {
    ++bad_epochs_;
  }
  if (cooldown_left_ > 0) {
    --cooldown_left_;
    bad_epochs_ = 0;
  }
  if (bad_epochs_ <= c_.patience_t) return;
  cooldown_left_ = c_.cooldown_t;
  bad_epochs_ = 0;
  constexpr double kSmallestChange = 1e-8;
  for (double& rate : rates_) {
    const double lower = std::max(rate * c_.decay_rate, c_.min_lr);
    if (rate - lower > kSmallestChange) rate = lower;
  }
}

double Schedule::cycle_value(double t) const {
  double cycle = std::floor(t / c_.t_initial), length = c_.t_initial;
  double into = t - c_.t_initial * cycle;
  if (c_.cycle_mul != 1.0) {
    const double grown = 1.0 - t / c_.t_initial * (1.0 - c_.cycle_mul);
    cycle = std::floor(std::log(grown) / std::log(c_.cycle_mul));
    const double factor = std::pow(c_.cycle_mul, cycle);
    length = factor * c_.t_initial;
    into = t - (1.0 - factor) / (1.0 - c_.cycle_mul) * c_.t_initial;
  }
  if (!(cycle < static_cast<double>(c_.cycle_limit))) return c_.min_lr;
  const double top = base_lr_ * std::pow(c_.cycle_decay, cycle);
  const double done = std::pow(into, c_.k_decay) / std::pow(length, c_.k_decay);
  if (c_.name == "cosine")
    return c_.min_lr + 0.5 * (top - c_.min_lr) * (1.0 + std::cos(std::numbers::pi * done));
  if (c_.name == "poly") return c_.min_lr + (top - c_.min_lr) * std::pow(1.0 - done, c_.decay_rate);
  const double part = into / length;
  return c_.min_lr +
         0.5 * (top - c_.min_lr) * (1.0 - std::tanh(c_.lower * (1.0 - part) + c_.upper * part));
}

/// transformers' and torch's own: t counts updates, t_initial is num_training_steps (T_max).
double Schedule::transformers_value(double t) const {
  if (c_.name == "torch_multistep")
    return base_lr_ * std::pow(c_.decay_rate, passed(c_.milestones, t));
  if (c_.name == "torch_steplr")
    return base_lr_ * std::pow(c_.decay_rate, std::floor(t / c_.decay_t));
  if (c_.name == "torch_cosine")
    return c_.min_lr +
           0.5 * (base_lr_ - c_.min_lr) * (1.0 + std::cos(std::numbers::pi * t / c_.t_initial));
  if (t < c_.warmup_t) return base_lr_ * t / std::max(1.0, c_.warmup_t);
  const double rest = std::max(1.0, c_.t_initial - c_.warmup_t);
  if (c_.name == "hf_linear") return base_lr_ * std::max(0.0, (c_.t_initial - t) / rest);
  if (c_.name == "hf_cosine") {
    const double angle = std::numbers::pi * c_.num_cycles * 2.0 * (t - c_.warmup_t) / rest;
    return base_lr_ * std::max(0.0, 0.5 * (1.0 + std::cos(angle)));
  }
  if (c_.name == "hf_inverse_sqrt") {
    const double timescale = c_.timescale.value_or(c_.warmup_t > 0 ? c_.warmup_t : 10000.0);
    return base_lr_ / std::sqrt((t + timescale - c_.warmup_t) / timescale);
  }
  if (c_.name == "hf_poly") {
    if (t > c_.t_initial) return c_.lr_end;
    const double left = 1.0 - (t - c_.warmup_t) / (c_.t_initial - c_.warmup_t);
    return (base_lr_ - c_.lr_end) * std::pow(left, c_.power) + c_.lr_end;
  }
  return base_lr_;  // hf_constant
}

double Schedule::value(double t) const {
  if (!is_timm(c_.name)) return transformers_value(t);
  if (t < c_.warmup_t) {
    // The hyperbolic tangent warms up to its own value at the end of the warm-up.
    const double goal =
        c_.name == "tanh" && !c_.warmup_prefix ? cycle_value(c_.warmup_t) : base_lr_;
    return c_.warmup_lr + t * ((goal - c_.warmup_lr) / c_.warmup_t);
  }
  if (c_.warmup_prefix) t -= c_.warmup_t;
  if (has_cycles(c_.name)) return cycle_value(t);
  if (c_.name == "step") return base_lr_ * std::pow(c_.decay_rate, std::floor(t / c_.decay_t));
  // timm applies milestone m at t = m - 1.
  if (c_.name == "multistep")
    return base_lr_ * std::pow(c_.decay_rate, passed(c_.milestones, t + 1));
  return base_lr_;  // constant
}

Json Schedule::state() const {
  return {{"rates", rates_},
          {"best", best_ ? Json(*best_) : Json()},
          {"bad_epochs", bad_epochs_},
          {"cooldown_left", cooldown_left_}};
}

void Schedule::set_state(const Json& state, const std::string& where) {
  const auto rates = state.is_object() ? state.value("rates", Json()) : Json();
  bool fits = rates.is_array() && rates.size() == rates_.size();
  for (size_t g = 0; fits && g < rates_.size(); ++g) fits = rates[g].is_number();
  if (!fits) throw input_error(where, "the schedule's state does not fit this recipe");
  rates_ = rates.get<std::vector<double>>();
  const auto best = state.value("best", Json());
  best_ = best.is_number() ? std::optional(best.get<double>()) : std::nullopt;
  bad_epochs_ = json_number(state, "bad_epochs", where);
  cooldown_left_ = json_number(state, "cooldown_left", where);
}

}  // namespace saccade::train
