#include "saccade/tasks/evaluate.h"

#include <algorithm>
#include <optional>

#include "saccade/base/error.h"
#include "saccade/data/loader.h"
#include "saccade/image/preprocess.h"
#include "saccade/tasks/batch.h"

namespace saccade::tasks {

std::vector<data::Pick> spread_evenly(int64_t size, int64_t limit) {
  if (limit < 0 || limit >= size) return data::epoch_order({.size = size});
  std::vector<data::Pick> picks;
  for (int64_t i = 0; i < limit; ++i)
    picks.push_back({i, size / limit * i + size % limit * i / limit});
  return picks;
}

Evaluation evaluate(Engine& engine, const Pipeline& pipeline, const data::ImageDataset& dataset,
                    const std::vector<std::string>& labels, const EvaluateOptions& options,
                    const OnBatch& on_batch) {
  auto picks = spread_evenly(dataset.size(), options.limit);
  if (picks.empty()) throw input_error(options.where, "holds no pictures to evaluate");
  data::Loader<HostTensor> loader(std::move(picks),
                                  {.batch_size = options.batch_size, .threads = options.threads},
                                  [&](const data::Pick& pick) {
                                    return image::preprocess(dataset.image(pick.index), pipeline);
                                  });
  std::optional<Evaluation> result;
  while (const auto batch = loader.next()) {
    const auto logits = run_logits(engine, batch->samples);
    const int64_t classes = logits.shape()[1];
    if (!result)
      result.emplace(Evaluation{metrics::Classification(classes),
                                match_classes(dataset.classes(), labels, classes, options.where)});
    std::vector<int64_t> truth;
    for (const auto& pick : batch->picks)
      truth.push_back(result->classes.model_class[static_cast<size_t>(dataset.label(pick.index))]);
    result->metrics.add(logits, truth);
    if (on_batch) on_batch(static_cast<int64_t>(truth.size()), result->metrics);
  }
  return std::move(*result);
}

}  // namespace saccade::tasks
