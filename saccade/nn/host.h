#pragma once
// Between the plain tensors of the other rooms and torch::Tensor.

#include "saccade/base/tensor.h"
#include "saccade/nn/module.h"

namespace saccade::nn {

/// A torch tensor that owns a copy of the values, same dtype and shape.
/// Throws Error (not_supported) for element types that libtorch lacks.
[[nodiscard]] Tensor to_torch(const HostTensor& tensor);
/// A copy on the host, row-major.
[[nodiscard]] HostTensor to_host(const Tensor& tensor);
[[nodiscard]] Shape shape_of(const Tensor& tensor);

/// Parameters and buffers under their checkpoint names, in the order of the checkpoint (a module's
/// own parameters, its buffers, then its children). A tensor registered twice comes once.
[[nodiscard]] std::vector<std::pair<std::string, Tensor>> named_state(
    const torch::nn::Module& root);
[[nodiscard]] NamedTensors state_dict(const torch::nn::Module& root);

}  // namespace saccade::nn
