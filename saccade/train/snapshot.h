#pragma once
// Tensors and files: the checkpoint that a run resumes from, and the finished model.

#include <filesystem>
#include <string>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/base/pipeline.h"
#include "saccade/base/tensor.h"
#include "saccade/train/optim/param_groups.h"

namespace saccade::train {

/// A contiguous CPU copy that shares the tensor's memory where it can.
[[nodiscard]] HostTensor to_host(const Tensor& tensor);

/// Everything a run needs to go on: tensors by name ("model.", "ema.", "optimizer." in front) and
/// the position, schedule, sums and versions as JSON.
struct Snapshot {
  NamedParameters tensors;
  Json state;
};

/// One safetensors file, the state in its metadata; atomic.
void write_snapshot(const std::filesystem::path& path, const Snapshot& snapshot);
/// The state of a snapshot file. Throws Error (bad_input) if the file is none.
[[nodiscard]] Json read_snapshot_state(const std::filesystem::path& path);
/// Copies the file's tensors into `tensors`: the same names and shapes, or one Error that lists the
/// differences.
void load_snapshot_tensors(const std::filesystem::path& path, const NamedParameters& tensors);

/// What a finished model carries in its metadata.
struct ModelCard {
  std::string system;
  Json config;
  Pipeline pipeline;
  std::vector<std::string> labels;
};

/// safetensors under official names; floating tensors stored as bf16 if asked for.
void export_model(const std::filesystem::path& path, const NamedParameters& state,
                  const ModelCard& card, bool bf16);

}  // namespace saccade::train
