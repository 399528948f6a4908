#include "saccade/train/optim/optimizer.h"

#include <cmath>
#include <map>

#include "saccade/base/check.h"
#include "saccade/base/error.h"

namespace saccade::train {

Optimizer::Optimizer(std::vector<ParamGroup> groups, std::vector<std::string> slots)
    : groups_(std::move(groups)), slot_names_(std::move(slots)) {
  for (const auto& group : groups_) {
    auto& group_slots = slots_.emplace_back(slot_names_.size());
    for (auto& slot : group_slots)
      for (const auto& param : group.params) slot.push_back(torch::zeros_like(param.detach()));
    steps_.emplace_back(group.params.size(), 0);
    params_.insert(params_.end(), group.params.begin(), group.params.end());
  }
}

void Optimizer::step(const std::vector<double>& rates) {
  SACCADE_CHECK(rates.size() == groups_.size(), "{} learning rates for {} groups", rates.size(),
                groups_.size());
  const torch::NoGradGuard no_grad;
  TensorList all;
  for (const auto& param : params_)
    if (param.grad().defined()) all.push_back(param.grad());
  prepare(all);
  for (size_t g = 0; g < groups_.size(); ++g) {
    std::map<int64_t, Batch> batches;
    for (size_t i = 0; i < groups_[g].params.size(); ++i) {
      const auto& param = groups_[g].params[i];
      if (!param.grad().defined()) continue;
      auto& batch = batches[++steps_[g][i]];
      batch.slots.resize(slot_names_.size());
      batch.params.push_back(param);
      batch.grads.push_back(param.grad());
      for (size_t s = 0; s < slot_names_.size(); ++s) batch.slots[s].push_back(slots_[g][s][i]);
    }
    for (auto& [step, batch] : batches) {
      batch.step = step;
      batch.lr = rates[g];
      batch.weight_decay = groups_[g].weight_decay;
      update(batch);
    }
  }
}

void Optimizer::zero_grad() {
  for (auto& param : params_) param.mutable_grad().reset();
}

NamedParameters Optimizer::state() const {
  NamedParameters out;
  for (size_t s = 0; s < slot_names_.size(); ++s)
    for (size_t g = 0; g < groups_.size(); ++g)
      for (size_t i = 0; i < groups_[g].params.size(); ++i)
        out.emplace_back(slot_names_[s] + "." + groups_[g].names[i], slots_[g][s][i]);
  return out;
}

Json Optimizer::steps() const { return steps_; }

void Optimizer::set_steps(const Json& steps, const std::string& where) {
  auto fits = steps.is_array() && steps.size() == groups_.size();
  for (size_t g = 0; fits && g < groups_.size(); ++g) {
    fits = steps[g].is_array() && steps[g].size() == steps_[g].size();
    for (size_t i = 0; fits && i < steps_[g].size(); ++i) {
      fits = steps[g][i].is_number_integer() && steps[g][i] >= 0;
      if (fits) steps_[g][i] = steps[g][i];
    }
  }
  if (!fits) throw input_error(where, "the optimiser's step counters do not fit this model");
}

namespace {

using TensorList = Optimizer::TensorList;

TensorList sqrt_plus(const TensorList& squares, double divisor, double eps) {
  auto denom = at::_foreach_sqrt(squares);
  at::_foreach_div_(denom, divisor);
  at::_foreach_add_(denom, eps);
  return denom;
}

/// Moments of Adam: m = lerp(m, g, 1 - beta1), v = beta2 * v + (1 - beta2) * g^2.
void update_moments(const TensorList& grads, TensorList& m, TensorList& v,
                    const OptimizerConfig& c) {
  at::_foreach_lerp_(m, grads, 1.0 - c.beta1);
  at::_foreach_mul_(v, c.beta2);
  at::_foreach_addcmul_(v, grads, grads, 1.0 - c.beta2);
}

/// Adam (L2 in the gradient) and AdamW (decay first, decoupled).
class Adam final : public Optimizer {
 public:
  Adam(const OptimizerConfig& config, std::vector<ParamGroup> groups)
      : Optimizer(std::move(groups),
                  config.amsgrad
                      ? std::vector<std::string>{"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}
                      : std::vector<std::string>{"exp_avg", "exp_avg_sq"}),
        c_(config) {}

 private:
  void update(Batch& b) override {
    auto grads = b.grads;
    if (c_.name == "adamw")
      at::_foreach_mul_(b.params, 1.0 - b.lr * b.weight_decay);
    else if (b.weight_decay != 0.0)
      grads = at::_foreach_add(grads, b.params, b.weight_decay);
    update_moments(grads, b.slots[0], b.slots[1], c_);
    if (c_.amsgrad) at::_foreach_maximum_(b.slots[2], b.slots[1]);
    const auto step = static_cast<double>(b.step);
    const double bias1 = 1.0 - std::pow(c_.beta1, step), bias2 = 1.0 - std::pow(c_.beta2, step);
    const auto denom =
        sqrt_plus(c_.amsgrad ? b.slots[2] : b.slots[1], std::sqrt(bias2), c_.eps.value_or(1e-8));
    at::_foreach_addcdiv_(b.params, b.slots[0], denom, -b.lr / bias1);
  }

  OptimizerConfig c_;
};

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerConfig& config, std::vector<ParamGroup> groups)
      : Optimizer(std::move(groups), config.momentum != 0.0
                                         ? std::vector<std::string>{"momentum_buffer"}
                                         : std::vector<std::string>{}),
        c_(config) {}

 private:
  void update(Batch& b) override {
    auto grads = b.grads;
    if (b.weight_decay != 0.0) grads = at::_foreach_add(grads, b.params, b.weight_decay);
    if (c_.momentum != 0.0) {
      auto& buffers = b.slots[0];
      if (b.step == 1) {  // the first buffer is the gradient itself, without dampening
        at::_foreach_copy_(buffers, grads);
      } else {
        at::_foreach_mul_(buffers, c_.momentum);
        at::_foreach_add_(buffers, grads, 1.0 - c_.dampening);
      }
      grads = c_.nesterov ? at::_foreach_add(grads, buffers, c_.momentum) : buffers;
    }
    at::_foreach_add_(b.params, grads, -b.lr);
  }

  OptimizerConfig c_;
};

/// Where the update disagrees in sign with the gradient it is dropped, the rest scaled up.
/// Liang et al. 2024, "Cautious Optimizers".
void apply_caution(TensorList& updates, const TensorList& grads) {
  for (size_t i = 0; i < updates.size(); ++i) {
    auto mask = (updates[i] * grads[i]).gt(0).to(grads[i].dtype());
    mask.div_(mask.mean().clamp_min(1e-3));
    updates[i].mul_(mask);
  }
}

/// NvLamb, You et al. 2020: Adam's step, scaled per tensor by |p| / |update|.
class Lamb final : public Optimizer {
 public:
  Lamb(const OptimizerConfig& config, std::vector<ParamGroup> groups)
      : Optimizer(std::move(groups), {"exp_avg", "exp_avg_sq"}), c_(config) {}

 private:
  void prepare(const TensorList& grads) override {
    clip_ = Tensor();
    if (!c_.max_grad_norm || grads.empty()) return;
    const auto norm = at::linalg_vector_norm(torch::stack(at::_foreach_norm(grads)));
    clip_ = (norm / *c_.max_grad_norm).clamp_min(1.0);
  }

  void update(Batch& b) override {
    auto grads = clip_.defined() ? at::_foreach_div(b.grads, clip_) : b.grads;
    const double beta3 = c_.grad_averaging ? 1.0 - c_.beta1 : 1.0;
    at::_foreach_mul_(b.slots[0], c_.beta1);
    at::_foreach_add_(b.slots[0], grads, beta3);
    at::_foreach_mul_(b.slots[1], c_.beta2);
    at::_foreach_addcmul_(b.slots[1], grads, grads, 1.0 - c_.beta2);
    const auto step = static_cast<double>(b.step);
    const double bias1 = c_.bias_correction ? 1.0 - std::pow(c_.beta1, step) : 1.0;
    const double bias2 = c_.bias_correction ? 1.0 - std::pow(c_.beta2, step) : 1.0;
    auto updates = at::_foreach_div(b.slots[0], bias1);
    at::_foreach_div_(updates, sqrt_plus(b.slots[1], std::sqrt(bias2), c_.eps.value_or(1e-6)));
    if (c_.caution) apply_caution(updates, grads);
    if (b.weight_decay != 0.0) {
      if (c_.decoupled_decay)
        at::_foreach_mul_(b.params, 1.0 - b.lr * b.weight_decay);
      else
        at::_foreach_add_(updates, b.params, b.weight_decay);
    }
    if (b.weight_decay != 0.0 || c_.always_adapt) trust(b.params, updates);
    at::_foreach_add_(b.params, updates, -b.lr);
  }

  void trust(const TensorList& params, TensorList& updates) const {
    const auto p_norms = at::_foreach_norm(params), u_norms = at::_foreach_norm(updates);
    for (size_t i = 0; i < params.size(); ++i) {
      const auto one = torch::ones_like(p_norms[i]);
      auto ratio = at::where(p_norms[i].gt(0),
                             at::where(u_norms[i].gt(0), p_norms[i] / u_norms[i], one), one);
      if (c_.trust_clip) ratio = ratio.clamp_max(1.0);
      updates[i].mul_(ratio);
    }
  }

  OptimizerConfig c_;
  Tensor clip_;
};

/// Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms".
class Lion final : public Optimizer {
 public:
  Lion(const OptimizerConfig& config, std::vector<ParamGroup> groups)
      : Optimizer(std::move(groups), {"exp_avg"}), c_(config) {}

 private:
  void update(Batch& b) override {
    at::_foreach_mul_(b.params, 1.0 - b.lr * b.weight_decay);
    auto updates = at::_foreach_lerp(b.slots[0], b.grads, 1.0 - c_.beta1);
    at::_foreach_sign_(updates);
    if (c_.caution) apply_caution(updates, b.grads);
    at::_foreach_add_(b.params, updates, -b.lr);
    at::_foreach_lerp_(b.slots[0], b.grads, 1.0 - c_.beta2);
  }

  OptimizerConfig c_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config,
                                          std::vector<ParamGroup> groups) {
  if (config.name == "adamw" || config.name == "adam")
    return std::make_unique<Adam>(config, std::move(groups));
  if (config.name == "sgd") return std::make_unique<Sgd>(config, std::move(groups));
  if (config.name == "lamb") return std::make_unique<Lamb>(config, std::move(groups));
  if (config.name == "lion") return std::make_unique<Lion>(config, std::move(groups));
  throw usage_error("optimizer '{}': expected adam, adamw, lamb, lion or sgd", config.name);
}

}  // namespace saccade::train
