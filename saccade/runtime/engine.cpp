#include <cstring>
#include <variant>

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
    const auto [size, batch] = find_size(inputs);
    session_.prepare(batch, size);
    const auto& graph = session_.graph();
    const auto& own = session_.model().inputs(size);
    for (size_t i = 0; i < own.size(); ++i) {
      const auto& tensor = given(inputs, graph.value(own[i]));
      std::memcpy(session_.input(i).data(), tensor.bytes().data(), tensor.bytes().size());
    }
    session_.run();
    NamedTensors outputs;
    for (size_t i = 0; i < graph.outputs.size(); ++i)
      outputs.emplace_back(graph.outputs[i].name, contiguous(session_.output(i)));
    return outputs;
  }

 private:
  struct Fit {
    size_t size = 0;
    int64_t batch = 1;
  };

  static const HostTensor& given(const NamedTensors& inputs, const plan::Value& input) {
    const auto* tensor = find(inputs, input.name);
    if (!tensor) throw usage_error("the plan needs an input \"{}\"", input.name);
    return *tensor;
  }

  /// N if the inputs fit that size; else the position of the first one that does not.
  [[nodiscard]] std::variant<int64_t, size_t> find_batch(const NamedTensors& inputs,
                                                         size_t size) const {
    const auto& model = session_.model();
    int64_t batch = 0;
    for (size_t i = 0; i < model.inputs(size).size(); ++i) {
      const auto& value = model.graph(size).value(model.inputs(size)[i]);
      const auto found = batch_of(value.type, given(inputs, value));
      if (!found || (*found > 0 && batch > 0 && *found != batch)) return i;
      batch = std::max(batch, *found);
    }
    return std::max<int64_t>(batch, 1);
  }

  [[nodiscard]] Fit find_size(const NamedTensors& inputs) const {
    const auto& model = session_.model();
    size_t misfit = 0;
    for (size_t size = 0; size < model.sizes(); ++size) {
      const auto found = find_batch(inputs, size);
      if (const auto* batch = std::get_if<int64_t>(&found)) return {size, *batch};
      misfit = std::get<size_t>(found);
    }
    const auto& input = model.graph().value(model.inputs().at(misfit));
    const auto& tensor = given(inputs, input);
    throw usage_error("input \"{}\" is {}{}; the plan expects {}", input.name, name(tensor.dtype()),
                      to_string(tensor.shape()), model.input_types(misfit));
  }

  Session session_;
};

}  // namespace

std::shared_ptr<Engine> make_engine(std::shared_ptr<const Model> model,
                                    const SessionOptions& options) {
  return std::make_shared<PlanEngine>(std::move(model), options);
}

}  // namespace saccade::runtime
