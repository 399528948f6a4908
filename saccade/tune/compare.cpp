#include "saccade/tune/compare.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "saccade/metrics/classification.h"
#include "saccade/runtime/session.h"

namespace saccade::tune {
namespace {

constexpr int64_t kBatch = 8;

/// Pictures of the batch whose largest score is that of their class.
int64_t count_right(const Pictures::Batch& batch, const NamedTensors& outputs) {
  const auto* logits = find(outputs, "logits");
  if (!logits || batch.truth.empty()) return 0;
  metrics::Classification metrics(logits->shape()[1]);
  metrics.add(*logits, batch.truth);
  return std::llround(metrics.top(1) * static_cast<double>(batch.truth.size()));
}

}  // namespace

void Judge::run(
    const compile::Assignment& assignment,
    const std::function<void(const Pictures::Batch&, const NamedTensors&)>& visit) const {
  const auto plan = compile::emit(optimised_, assignment);
  const auto engine = runtime::make_engine(std::make_shared<const runtime::Model>(plan));
  std::string input;
  for (const auto& value : plan.graph.values)
    if (value.kind == plan::ValueKind::input) input = value.name;
  pictures_.for_each(kBatch, -1, [&](const Pictures::Batch& batch) {
    auto outputs = engine->run({{input, batch.images}});
    std::erase_if(outputs, [](const auto& output) { return output.second.dtype() != DType::F32; });
    visit(batch, outputs);
    if (on_pictures_) on_pictures_("answers", batch.images.shape()[0]);
  });
}

Judge::Judge(const plan::Plan& optimised, const Pictures& pictures, OnPictures on_pictures)
    : optimised_(optimised), pictures_(pictures), on_pictures_(std::move(on_pictures)) {
  run({}, [&](const Pictures::Batch& batch, const NamedTensors& outputs) {
    expected_.push_back(outputs);
    right_ += count_right(batch, outputs);
  });
}

Comparison Judge::compare(const compile::Assignment& assignment) const {
  double difference = 0, scale = 0;
  int64_t right = 0;
  size_t number = 0;
  run(assignment, [&](const Pictures::Batch& batch, const NamedTensors& outputs) {
    const auto& expected = expected_[number++];
    right += count_right(batch, outputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto a = expected[i].second.as<float>(), b = outputs[i].second.as<float>();
      for (size_t k = 0; k < a.size(); ++k) {
        difference += (double{b[k]} - a[k]) * (double{b[k]} - a[k]);
        scale += double{a[k]} * a[k];
      }
    }
  });
  Comparison out;
  out.pictures = pictures_.size();
  // An answer that is no number counts as wrong altogether.
  const double error = std::sqrt(difference / std::max(scale, 1e-30));
  out.output_error = std::isfinite(error) ? error : 1.0;
  if (!pictures_.labelled()) return out;
  out.top1_fp32 = static_cast<double>(right_) / static_cast<double>(out.pictures);
  out.top1 = static_cast<double>(right) / static_cast<double>(out.pictures);
  return out;
}

}  // namespace saccade::tune
