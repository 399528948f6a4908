#pragma once
// Learning-rate schedules. Sources: timm 1.0.31 scheduler/, transformers 4.57.1 optimization.py,
// torch 2.13 optim/lr_scheduler.py.

#include <optional>
#include <string>
#include <vector>

#include "saccade/base/json.h"

namespace saccade::train {

/// Times (`*_t`, cycles, milestones) are in the unit of `Schedule::step`: epochs or updates.
/// Names are timm's; the `hf_*` and `torch_*` schedules take their own rows.
struct ScheduleConfig {
  std::string name = "cosine";  ///< see schedule_names()
  double t_initial = 1;         ///< length without warm-up prefix and cool-down
  double warmup_t = 0;
  double warmup_lr = 1e-5;
  double min_lr = 0.0;
  bool warmup_prefix = false;
  double decay_t = 90;                  ///< step, torch_steplr (step_size)
  std::vector<double> milestones = {};  ///< multistep, torch_multistep
  double decay_rate = 0.1;              ///< step, multistep, plateau; the power of poly
  double cycle_mul = 1.0;
  double cycle_decay = 0.1;
  int64_t cycle_limit = 1;
  double k_decay = 1.0;
  double patience_t = 10;                ///< plateau
  double threshold = 1e-4;               ///< plateau, relative
  double cooldown_t = 0;                 ///< plateau
  bool maximize = true;                  ///< plateau: the metric's direction
  double lower = -7.0, upper = 3.0;      ///< tanh
  std::optional<double> timescale = {};  ///< hf_inverse_sqrt, default: warm-up
  double num_cycles = 0.5;               ///< hf_cosine
  double lr_end = 1e-7;                  ///< hf_poly
  double power = 1.0;                    ///< hf_poly
};

[[nodiscard]] const std::vector<std::string>& schedule_names();

/// Epochs (or updates) of cosine, tanh and poly with their cycles; t_initial for the others.
/// Without cool-down.
[[nodiscard]] double schedule_length(const ScheduleConfig& config);

/// The learning rate of every parameter group over time.
class Schedule {
 public:
  /// Throws Error (usage) for an unknown name or impossible settings. After construction the rates
  /// are those of the first unit (timm: warmup_lr if there is a warm-up).
  Schedule(const ScheduleConfig& config, double base_lr, std::vector<double> lr_scales);

  /// Goes to time `t`. Plateau counts calls beyond its warm-up and wants the metric.
  void step(double t, std::optional<double> metric = {});
  /// One rate for each group.
  [[nodiscard]] const std::vector<double>& rates() const { return rates_; }

  /// What cannot be computed from `t` (plateau), for checkpoints.
  [[nodiscard]] Json state() const;
  /// Throws Error (bad_input, naming `where`) if it does not fit.
  void set_state(const Json& state, const std::string& where);

 private:
  [[nodiscard]] double value(double t) const;
  [[nodiscard]] double cycle_value(double t) const;
  [[nodiscard]] double transformers_value(double t) const;
  void set_rates(double lr);
  void step_plateau(double metric);

  ScheduleConfig c_;
  double base_lr_;
  std::vector<double> lr_scales_;
  std::vector<double> rates_;
  std::optional<double> best_;  ///< plateau
  double bad_epochs_ = 0;
  double cooldown_left_ = 0;
};

}  // namespace saccade::train
