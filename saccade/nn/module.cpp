#include "saccade/nn/module.h"

namespace saccade::nn {
namespace {

thread_local Observer observer;
thread_local std::string path;
thread_local torch::Device parameter_device = torch::kCPU;

}  // namespace

ObserverScope::ObserverScope(Observer next) : outer_(std::exchange(observer, std::move(next))) {}
ObserverScope::~ObserverScope() { observer = std::move(outer_); }

bool observed() { return static_cast<bool>(observer); }

void tap(std::string_view name, const Tensor& value) {
  if (observer) observer(path.empty() ? std::string(name) : path + "." + std::string(name), value);
}

const std::string& current_path() { return path; }

DeviceScope::DeviceScope(torch::Device device) : outer_(std::exchange(parameter_device, device)) {}
DeviceScope::~DeviceScope() { parameter_device = outer_; }

Tensor parameter(torch::nn::Module* owner, std::string name, torch::IntArrayRef shape,
                 bool present) {
  if (!present) return {};
  const auto options = torch::TensorOptions().dtype(torch::kFloat32).device(parameter_device);
  return owner->register_parameter(std::move(name), torch::empty(shape, options));
}

Tensor buffer(torch::nn::Module* owner, std::string name, torch::IntArrayRef shape,
              torch::Dtype dtype) {
  const auto options = torch::TensorOptions().dtype(dtype).device(parameter_device);
  return owner->register_buffer(std::move(name), torch::zeros(shape, options));
}

namespace detail {

Call::Call(const std::string& name) : outer_(path.size()) {
  if (!path.empty()) path += '.';
  path += name;
}
Call::~Call() { path.resize(outer_); }

void Call::offer(const Tensor& output) const {
  if (observer) observer(path, output);
}

}  // namespace detail
}  // namespace saccade::nn
