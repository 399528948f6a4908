#pragma once
// Which parameters share a learning rate and a weight decay. Source: timm 1.0.31
// optim/_param_groups.py.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <torch/torch.h>

namespace saccade::train {

using torch::Tensor;
using NamedParameters = std::vector<std::pair<std::string, Tensor>>;

struct ParamGroup {
  std::vector<std::string> names;
  std::vector<Tensor> params;
  double weight_decay = 0.0;
  double lr_scale = 1.0;
};

/// Parameters in the order of registration; one that is registered twice occurs once, under its
/// first name.
[[nodiscard]] NamedParameters unique_parameters(const torch::nn::Module& module);
/// Parameters and buffers in the same manner: what a checkpoint holds.
[[nodiscard]] NamedParameters unique_state(const torch::nn::Module& module);

/// Two groups: without decay (one dimension or fewer, `.bias`, or listed in `no_weight_decay`,
/// where a `*` stands for anything), then with decay. An empty group is left out.
[[nodiscard]] std::vector<ParamGroup> weight_decay_groups(
    const NamedParameters& parameters, double weight_decay,
    const std::vector<std::string>& no_weight_decay);

/// Groups by (layer, decay) in the order of their first parameter, lr_scale =
/// layer_decay^(last layer - layer).
[[nodiscard]] std::vector<ParamGroup> layer_decay_groups(
    const NamedParameters& parameters, double weight_decay,
    const std::vector<std::string>& no_weight_decay, double layer_decay,
    const std::function<int64_t(std::string_view)>& layer_id);

}  // namespace saccade::train
