#include "saccade/train/losses.h"

#include "saccade/base/error.h"

namespace saccade::train {

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) {
  return at::cross_entropy_loss(logits, labels);
}

Tensor label_smoothing_cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing) {
  const auto log_p = at::log_softmax(logits, -1);
  const auto nll = -log_p.gather(-1, labels.unsqueeze(1)).squeeze(1);
  return ((1.0 - smoothing) * nll - smoothing * log_p.mean(-1)).mean();
}

Tensor soft_target_cross_entropy(const Tensor& logits, const Tensor& targets) {
  return -(targets * at::log_softmax(logits, -1)).sum(-1).mean();
}

Tensor smooth_one_hot(const Tensor& labels, int64_t num_classes, double smoothing) {
  const double off = smoothing / static_cast<double>(num_classes);
  auto rows = torch::full({labels.size(0), num_classes}, off,
                          torch::dtype(torch::kFloat32).device(labels.device()));
  return rows.scatter_(1, labels.unsqueeze(1), 1.0 - smoothing + off);
}

Tensor binary_cross_entropy(const Tensor& logits, const Tensor& targets,
                            const BinaryCrossEntropyOptions& options) {
  auto dense = targets;
  if (targets.dim() == 1)
    dense = smooth_one_hot(targets, logits.size(-1), options.smoothing);
  else if (options.smooth_dense && options.smoothing > 0)
    dense = targets * (1.0 - options.smoothing) + 0.5 * options.smoothing;
  if (options.target_threshold) dense = dense.gt(*options.target_threshold).to(logits.dtype());
  const auto loss = at::binary_cross_entropy_with_logits(logits, dense, {}, options.pos_weight,
                                                         at::Reduction::None);
  return options.sum_classes ? loss.sum(-1).mean() : loss.mean();
}

Tensor distillation_loss(const Tensor& base, const Tensor& logits_dist, const Tensor& teacher,
                         const DistillationOptions& options) {
  if (options.type == Distillation::none) return base;
  Tensor term;
  if (options.type == Distillation::soft) {
    const auto student = at::log_softmax(logits_dist / options.tau, 1);
    const auto target = at::log_softmax(teacher.detach() / options.tau, 1);
    term = at::kl_div(student, target, at::Reduction::Sum, /*log_target=*/true) *
           (options.tau * options.tau / static_cast<double>(logits_dist.numel()));
  } else {
    term = at::cross_entropy_loss(logits_dist, teacher.detach().argmax(1));
  }
  return base * (1.0 - options.alpha) + term * options.alpha;
}

Distillation parse_distillation(const std::string& name) {
  if (name == "none") return Distillation::none;
  if (name == "soft") return Distillation::soft;
  if (name == "hard") return Distillation::hard;
  throw usage_error("distillation type '{}': expected none, soft or hard", name);
}

}  // namespace saccade::train
