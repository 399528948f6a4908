#include "saccade/trace/trace.h"

#include <algorithm>

#include "saccade/base/check.h"
#include "saccade/base/random.h"
#include "saccade/nn/host.h"
#include "saccade/trace/lower.h"

namespace saccade::trace {
namespace {

HostTensor random_input(Shape shape, const std::string& name, const TraceOptions& options,
                        int64_t batch) {
  shape.insert(shape.begin(), batch);
  HostTensor tensor(DType::F32, std::move(shape));
  Random random(options.seed, static_cast<uint64_t>(batch), 0, name);
  for (auto& x : tensor.fill<float>()) x = static_cast<float>(random.normal());
  return tensor;
}

Run run_at(models::Model& model, const TraceOptions& options, int64_t batch) {
  models::Inputs inputs;
  for (const auto& [name, shape] : options.inputs)
    inputs.set(name, nn::to_torch(random_input(shape, name, options, batch)));
  return record(model, inputs, {.batch = batch, .outputs = options.outputs, .taps = options.taps});
}

}  // namespace

plan::Plan trace(models::Model& model, const TraceOptions& options) {
  const Alignment runs(
      {run_at(model, options, 2), run_at(model, options, 3), run_at(model, options, 5)});
  plan::Plan plan;
  plan.graph = Lowering(runs).run();
  if (const auto problem = find_problem(plan.graph); !problem.empty())
    SACCADE_CHECK(false, "the traced graph: {}", problem);
  for (const size_t i : {size_t{0}, size_t{2}})
    plan.recordings.push_back({runs.run(i).given, runs.run(i).answered});
  plan.info.raw = true;
  return plan;
}

std::vector<Tap> list_taps(models::Model& model, const TraceOptions& options) {
  model.eval();
  const torch::NoGradGuard no_grad;
  models::Inputs inputs;
  for (const auto& [name, shape] : options.inputs)
    inputs.set(name, nn::to_torch(random_input(shape, name, options, 1)));
  std::vector<Tap> taps;
  const nn::ObserverScope scope([&](const std::string& path, const torch::Tensor& value) {
    const auto known = std::ranges::find(taps, path, &Tap::name);
    const auto shape = nn::shape_of(value);
    known == taps.end() ? taps.push_back({path, shape}) : void(known->shape = shape);
  });
  static_cast<void>(model.forward(inputs));
  return taps;
}

}  // namespace saccade::trace
