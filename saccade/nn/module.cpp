#include "saccade/nn/module.h"

namespace saccade::nn {
namespace {

thread_local Observer observer;
thread_local Wanted wanted;
thread_local std::string path;
thread_local torch::Device parameter_device = torch::kCPU;

std::string below(std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

}  // namespace

ObserverScope::ObserverScope(Observer next, Wanted next_wanted)
    : outer_(std::exchange(observer, std::move(next))),
      outer_wanted_(std::exchange(wanted, std::move(next_wanted))) {}
ObserverScope::~ObserverScope() {
  observer = std::move(outer_);
  wanted = std::move(outer_wanted_);
}

bool observed(std::string_view name) { return observer && (!wanted || wanted(below(name))); }

void tap(std::string_view name, const Tensor& value) {
  if (observer) observer(below(name), value);
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
