#pragma once
// A training recipe: everything that decides a run, read from TOML. Unknown keys are refused.

#include <filesystem>
#include <string>
#include <vector>

#include "saccade/base/json.h"
#include "saccade/base/pipeline.h"
#include "saccade/train/augment/transform.h"
#include "saccade/train/losses.h"
#include "saccade/train/mixup.h"
#include "saccade/train/optim/clip_grad.h"
#include "saccade/train/optim/ema.h"
#include "saccade/train/optim/optimizer.h"
#include "saccade/train/optim/schedule.h"

namespace saccade::train {

struct Recipe {
  std::string name;  ///< default: the file's stem
  uint64_t seed = 0;

  struct Data {
    std::string path;  ///< relative to the recipe's folder; --data replaces it
    std::string train_split = "train";
    std::string eval_split = "test";
    int64_t cache_mb = 2048;  ///< decoded pictures kept in memory
    int64_t threads = 2;      ///< workers that load and augment
  } data;

  struct ModelPart {
    std::string system;
    Json config = Json::object();  ///< num_classes is filled in from the data set
    std::string init;              ///< checkpoint to start from; relative to the recipe's folder
  } model;

  Pipeline pipeline;  ///< for evaluation; travels with the trained model
  TransformConfig augment;
  MixupConfig mixup;  ///< label_smoothing also holds without mixing

  struct Loss {
    std::string name = "ce";  ///< ce or bce
  } loss;

  struct DistillationPart {
    std::string teacher;  ///< checkpoint, relative to the recipe's folder
    DistillationOptions options;
  } distillation;

  struct OptimizerPart {
    OptimizerConfig config;
    double lr = 1e-3;
    double weight_decay = 0.05;
    double layer_decay = 1.0;  ///< 1: off
    double clip_grad = 0.0;    ///< 0: off
    ClipMode clip_mode = ClipMode::norm;
  } optimizer;

  struct SchedulePart {
    ScheduleConfig config;  ///< times in epochs
    int64_t epochs = 1;
    bool on_updates = true;  ///< rates change with every update instead of every epoch
    int64_t cooldown_epochs = 0;
  } schedule;

  struct Train {
    int64_t batch_size = 128;
    int64_t accumulate = 1;  ///< batches of one update
    std::string amp = "auto";
    bool channels_last = false;
    double max_minutes = 0;        ///< stops after that many minutes of work; 0: never
    int64_t checkpoint_every = 0;  ///< updates between checkpoints inside an epoch; 0: none
    int64_t log_every = 50;        ///< updates between lines of the log
  } train;

  struct Ema {
    bool enabled = false;
    EmaConfig config;
  } ema;

  struct Eval {
    int64_t every = 1;  ///< epochs; the last epoch is always evaluated
    int64_t batch_size = 256;
  } eval;

  struct Export {
    bool bf16 = false;  ///< store floating tensors as bf16
  } output;

  std::string text;  ///< the file as it was
  Json json;         ///< the file with --set applied
};

/// `overrides` are "table.key=value" in TOML syntax (a bare word is a string). Throws Error:
/// bad_input with file and key for what the recipe says, usage for an override.
[[nodiscard]] Recipe read_recipe(const std::filesystem::path& path,
                                 const std::vector<std::string>& overrides = {});
/// The same from text; `where` names it in errors.
[[nodiscard]] Recipe parse_recipe(std::string_view text, std::string_view where,
                                  const std::vector<std::string>& overrides = {});

}  // namespace saccade::train
