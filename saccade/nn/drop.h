#pragma once
// What is dropped at random in training and left alone in evaluation.

#include "saccade/nn/module.h"

namespace saccade::nn {

/// Zeroes elements with probability `p` and scales the rest by 1 / (1 - p).
struct Dropout : Module {
  explicit Dropout(double probability) : p(probability) {}
  Tensor forward(const Tensor& x) const { return at::dropout(x, p, is_training()); }
  double p;
};

/// Stochastic depth: drops the whole residual branch of a sample, scaling the kept ones by
/// 1 / (1 - p). Source: Huang et al. 2016; timm drop_path.
struct DropPath : Module {
  explicit DropPath(double probability) : p(probability) {}
  Tensor forward(const Tensor& x) const;  // [B, ...]
  double p;
};

/// Drop rate of block `index` of `depth`: linspace(0, rate, depth) in single precision.
[[nodiscard]] double drop_path_rate(double rate, int64_t index, int64_t depth);

}  // namespace saccade::nn
