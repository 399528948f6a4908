#pragma once
// Optimisers on lists of tensors: one fused call per operation and group, so that small models do
// not drown in overhead. Sources: torch 2.13 optim/, timm 1.0.31 optim/lamb.py and lion.py.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/train/optim/param_groups.h"

namespace saccade::train {

/// All optimisers' settings; each reads its own (names of the references' arguments).
struct OptimizerConfig {
  std::string name = "adamw";  ///< adam, adamw, lamb, lion, sgd
  double beta1 = 0.9;
  double beta2 = 0.999;
  std::optional<double> eps = {};  ///< default of the reference: 1e-8, Lamb 1e-6
  bool amsgrad = false;
  double momentum = 0.0;
  double dampening = 0.0;
  bool nesterov = false;
  bool bias_correction = true;                ///< Lamb
  bool grad_averaging = true;                 ///< Lamb
  std::optional<double> max_grad_norm = 1.0;  ///< Lamb: over all groups; empty: off
  bool trust_clip = false;                    ///< Lamb
  bool always_adapt = false;                  ///< Lamb
  bool decoupled_decay = false;               ///< Lamb
  bool caution = false;                       ///< Lion, Lamb
};

class Optimizer {
 public:
  using TensorList = std::vector<Tensor>;

  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update; `rates` holds the learning rate of each group. Parameters without gradient are
  /// left as they are.
  void step(const std::vector<double>& rates);
  /// Frees the gradients.
  void zero_grad();

  [[nodiscard]] const std::vector<ParamGroup>& groups() const { return groups_; }
  /// All parameters, group after group.
  [[nodiscard]] const TensorList& params() const { return params_; }
  /// The state tensors by "<slot>.<parameter>" (shared, not copied).
  [[nodiscard]] NamedParameters state() const;
  /// Step counters; `set_steps` throws Error (bad_input, naming `where`) if they do not fit.
  [[nodiscard]] Json steps() const;
  void set_steps(const Json& steps, const std::string& where);

 protected:
  /// Parameters of one group that have the same step count (1 at the first update).
  struct Batch {
    TensorList params, grads;
    std::vector<TensorList> slots;
    int64_t step = 1;
    double lr = 0.0;
    double weight_decay = 0.0;
  };

  Optimizer(std::vector<ParamGroup> groups, std::vector<std::string> slots);
  /// Sees all gradients before the first group is updated.
  virtual void prepare(const TensorList& /*grads*/) {}
  virtual void update(Batch& batch) = 0;

 private:
  std::vector<ParamGroup> groups_;
  TensorList params_;
  std::vector<std::string> slot_names_;
  std::vector<std::vector<TensorList>> slots_;  ///< [group][slot][parameter]
  std::vector<std::vector<int64_t>> steps_;     ///< [group][parameter]
};

/// Throws Error (usage, "did you mean") for an unknown name.
[[nodiscard]] std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config,
                                                        std::vector<ParamGroup> groups);

}  // namespace saccade::train
