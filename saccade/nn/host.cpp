#include "saccade/nn/host.h"

#include <cstring>
#include <set>

#include "saccade/base/error.h"

namespace saccade::nn {
namespace {

constexpr std::pair<DType, torch::Dtype> kTypes[] = {
    {DType::BOOL, torch::kBool},        {DType::U8, torch::kUInt8},
    {DType::I8, torch::kInt8},          {DType::I16, torch::kInt16},
    {DType::I32, torch::kInt32},        {DType::I64, torch::kInt64},
    {DType::F16, torch::kFloat16},      {DType::BF16, torch::kBFloat16},
    {DType::F32, torch::kFloat32},      {DType::F64, torch::kFloat64},
    {DType::C64, torch::kComplexFloat}, {DType::C128, torch::kComplexDouble},
};

void collect(const torch::nn::Module& module, const std::string& prefix, std::set<void*>& seen,
             std::vector<std::pair<std::string, Tensor>>& out) {
  const auto add = [&](const auto& items) {
    for (const auto& item : items)
      if (item.value().defined() && seen.insert(item.value().unsafeGetTensorImpl()).second)
        out.emplace_back(prefix + item.key(), item.value());
  };
  add(module.named_parameters(false));
  add(module.named_buffers(false));
  for (const auto& child : module.named_children())
    collect(*child.value(), prefix + child.key() + ".", seen, out);
}

}  // namespace

Tensor to_torch(const HostTensor& tensor) {
  for (const auto& [dtype, type] : kTypes) {
    if (dtype != tensor.dtype()) continue;
    auto out = torch::empty(tensor.shape(), torch::TensorOptions().dtype(type));
    if (!tensor.bytes().empty())
      std::memcpy(out.data_ptr(), tensor.bytes().data(), tensor.bytes().size());
    return out;
  }
  throw unsupported_error("{} tensors have no equal in libtorch here", name(tensor.dtype()));
}

HostTensor to_host(const Tensor& tensor) {
  const auto source = tensor.detach().to(torch::kCPU).contiguous();
  for (const auto& [dtype, type] : kTypes) {
    if (type != source.scalar_type()) continue;
    auto owner = std::make_shared<Tensor>(source);
    const auto* data = static_cast<const std::byte*>(source.data_ptr());
    return {dtype, shape_of(source), {data, source.nbytes()}, std::move(owner)};
  }
  throw unsupported_error("a tensor of type {} cannot leave libtorch",
                          c10::toString(source.scalar_type()));
}

Shape shape_of(const Tensor& tensor) { return tensor.sizes().vec(); }

std::vector<std::pair<std::string, Tensor>> named_state(const torch::nn::Module& root) {
  std::vector<std::pair<std::string, Tensor>> out;
  std::set<void*> seen;
  collect(root, "", seen, out);
  return out;
}

NamedTensors state_dict(const torch::nn::Module& root) {
  NamedTensors out;
  for (const auto& [name, tensor] : named_state(root))
    out.emplace_back(name, to_host(tensor.clone()));
  return out;
}

}  // namespace saccade::nn
