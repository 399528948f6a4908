#include "saccade/models/model.h"

#include "saccade/base/check.h"

namespace saccade::models {

void TensorMap::set(std::string name, torch::Tensor value) {
  items_.emplace_back(std::move(name), std::move(value));
}

bool TensorMap::contains(std::string_view name) const {
  return std::ranges::find(items_, name, [](const auto& item) { return item.first; }) !=
         items_.end();
}

const torch::Tensor& TensorMap::operator[](std::string_view name) const {
  for (const auto& [key, value] : items_)
    if (key == name) return value;
  std::string known;
  for (const auto& [key, value] : items_) known += " " + key;
  throw InternalError(fmt::format("no tensor \"{}\"; there are:{}", name, known));
}

NamedTensors Model::adapt(const NamedTensors&, const Adaptation& how) const {
  throw unsupported_error("this model cannot adapt weights by the procedure \"{}\"", how.procedure);
}

}  // namespace saccade::models
