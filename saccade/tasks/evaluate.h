#pragma once
// A classifier on a labelled data set.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "saccade/base/engine.h"
#include "saccade/base/pipeline.h"
#include "saccade/data/dataset.h"
#include "saccade/data/sampler.h"
#include "saccade/metrics/classification.h"
#include "saccade/tasks/class_map.h"

namespace saccade::tasks {

/// `limit` samples of `size` at equal distances, so that a set sorted by class keeps all its
/// classes; all of them if limit is negative or large enough.
[[nodiscard]] std::vector<data::Pick> spread_evenly(int64_t size, int64_t limit);

struct EvaluateOptions {
  int64_t batch_size = 32;
  int64_t limit = -1;   ///< so many pictures, spread evenly over the set; -1: all
  int threads = 0;      ///< for decoding and preprocessing; 0: all
  std::string where{};  ///< names the data set in messages
};

struct Evaluation {
  metrics::Classification metrics;  ///< over the model's classes
  ClassMap classes;
};

/// Told after each batch.
using OnBatch = std::function<void(int64_t pictures, const metrics::Classification& so_far)>;

/// Decodes and preprocesses on threads while the engine runs. The data set must have been opened
/// with the pipeline's apply_exif_orientation. Throws what match_classes, the engine and broken
/// pictures throw, and Error (bad_input) for an empty set.
[[nodiscard]] Evaluation evaluate(Engine& engine, const Pipeline& pipeline,
                                  const data::ImageDataset& dataset,
                                  const std::vector<std::string>& labels,
                                  const EvaluateOptions& options, const OnBatch& on_batch = {});

}  // namespace saccade::tasks
