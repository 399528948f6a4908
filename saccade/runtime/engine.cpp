#include <cstring>

#include "saccade/base/error.h"
#include "saccade/runtime/session.h"

namespace saccade::runtime {
namespace {

/// N of a tensor given for a type; nothing if it does not fit. Types without N fit any N.
std::optional<int64_t> batch_of(const ops::Type& type, const HostTensor& tensor) {
  if (tensor.dtype() != type.dtype || tensor.shape().size() != type.dims.size())
    return std::nullopt;
  int64_t batch = 0;
  for (size_t i = 0; i < type.dims.size(); ++i) {
    const auto& dim = type.dims[i];
    const int64_t size = tensor.shape()[i];
    if (!dim.batch && size != dim.size) return std::nullopt;
    if (!dim.batch) continue;
    if (size < dim.size || size % dim.size != 0) return std::nullopt;
    batch = size / dim.size;
  }
  return batch;
}

class PlanEngine : public Engine {
 public:
  PlanEngine(std::shared_ptr<const Model> model, const SessionOptions& options)
      : session_(std::move(model), options) {}

  NamedTensors run(const NamedTensors& inputs) override {
    const auto& model = session_.model();
    session_.prepare(find_batch(inputs));
    for (size_t i = 0; i < model.inputs().size(); ++i) {
      const auto& tensor = given(inputs, model.graph().value(model.inputs()[i]));
      std::memcpy(session_.input(i).data(), tensor.bytes().data(), tensor.bytes().size());
    }
    session_.run();
    NamedTensors outputs;
    for (size_t i = 0; i < model.graph().outputs.size(); ++i)
      outputs.emplace_back(model.graph().outputs[i].name, contiguous(session_.output(i)));
    return outputs;
  }

 private:
  static const HostTensor& given(const NamedTensors& inputs, const plan::Value& input) {
    const auto* tensor = find(inputs, input.name);
    if (!tensor) throw usage_error("the plan needs an input \"{}\"", input.name);
    return *tensor;
  }

  int64_t find_batch(const NamedTensors& inputs) const {
    const auto& model = session_.model();
    int64_t batch = 0;
    for (const auto id : model.inputs()) {
      const auto& value = model.graph().value(id);
      const auto& tensor = given(inputs, value);
      const auto found = batch_of(value.type, tensor);
      if (!found || (*found > 0 && batch > 0 && *found != batch))
        throw usage_error("input \"{}\" is {}{}; the plan expects {}", value.name,
                          name(tensor.dtype()), to_string(tensor.shape()), to_string(value.type));
      batch = std::max(batch, *found);
    }
    return std::max<int64_t>(batch, 1);
  }

  Session session_;
};

}  // namespace

std::shared_ptr<Engine> make_engine(std::shared_ptr<const Model> model,
                                    const SessionOptions& options) {
  return std::make_shared<PlanEngine>(std::move(model), options);
}

}  // namespace saccade::runtime
