#pragma once
// Losses of image classification. Sources: timm 1.0.31 loss/, facebookresearch/deit losses.py.

#include <optional>
#include <string>

#include <torch/torch.h>

namespace saccade::train {

using torch::Tensor;

/// Mean of -log p[label]. logits [B, C], labels [B] I64.
[[nodiscard]] Tensor cross_entropy(const Tensor& logits, const Tensor& labels);
/// (1 - smoothing) * nll + smoothing * mean over classes of -log p, batch mean.
[[nodiscard]] Tensor label_smoothing_cross_entropy(const Tensor& logits, const Tensor& labels,
                                                   double smoothing);
/// Batch mean of -sum(target * log p). targets [B, C].
[[nodiscard]] Tensor soft_target_cross_entropy(const Tensor& logits, const Tensor& targets);

/// One-hot rows [B, C] with off = smoothing / C and on = 1 - smoothing + off.
[[nodiscard]] Tensor smooth_one_hot(const Tensor& labels, int64_t num_classes, double smoothing);

struct BinaryCrossEntropyOptions {
  double smoothing = 0.1;
  std::optional<double> target_threshold = {};  ///< targets above become 1, others 0
  Tensor pos_weight = {};                       ///< [C], or undefined
  bool sum_classes = false;                     ///< sum over classes, then batch mean
  bool smooth_dense = false;                    ///< dense targets are smoothed towards 1/2
};
/// timm BinaryCrossEntropy: targets are labels [B] or dense [B, C].
[[nodiscard]] Tensor binary_cross_entropy(const Tensor& logits, const Tensor& targets,
                                          const BinaryCrossEntropyOptions& options);

enum class Distillation { none, soft, hard };

struct DistillationOptions {
  Distillation type = Distillation::none;
  double alpha = 0.5;
  double tau = 1.0;
};
/// `base` is the loss of the class logits; logits_dist and teacher [B, C], the teacher without
/// gradient. The soft term is divided by the number of logits, as the reference does.
[[nodiscard]] Tensor distillation_loss(const Tensor& base, const Tensor& logits_dist,
                                       const Tensor& teacher, const DistillationOptions& options);

/// Throws Error (usage) for a name that is none of none, soft, hard.
[[nodiscard]] Distillation parse_distillation(const std::string& name);

}  // namespace saccade::train
