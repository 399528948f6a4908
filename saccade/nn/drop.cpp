#include "saccade/nn/drop.h"

namespace saccade::nn {

Tensor DropPath::forward(const Tensor& x) const {
  if (p == 0.0 || !is_training()) return x;
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[0] = x.size(0);
  const double keep = 1.0 - p;
  auto mask = at::empty(shape, x.options()).bernoulli_(keep);  // [B, 1, ...]
  if (keep > 0.0) mask.div_(keep);
  return x * mask;
}

double drop_path_rate(double rate, int64_t index, int64_t depth) {
  return at::linspace(0.0, rate, depth)[index].item<float>();
}

}  // namespace saccade::nn
