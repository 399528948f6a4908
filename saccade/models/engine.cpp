#include "saccade/models/engine.h"

#include "saccade/nn/host.h"

namespace saccade::models {
namespace {

class EagerEngine : public Engine {
 public:
  explicit EagerEngine(std::shared_ptr<Model> model) : model_(std::move(model)) { model_->eval(); }

  NamedTensors run(const NamedTensors& inputs) override {
    const torch::InferenceMode inference;
    Inputs given;
    for (const auto& [name, tensor] : inputs) given.set(name, nn::to_torch(tensor));
    NamedTensors out;
    for (const auto& [name, tensor] : model_->forward(given))
      out.emplace_back(name, nn::to_host(tensor));
    return out;
  }

 private:
  std::shared_ptr<Model> model_;
};

}  // namespace

std::shared_ptr<Engine> eager_engine(std::shared_ptr<Model> model) {
  return std::make_shared<EagerEngine>(std::move(model));
}

}  // namespace saccade::models
