#include "saccade/train/trainer.h"

#include <chrono>
#include <cmath>
#include <optional>

#include "saccade/base/error.h"
#include "saccade/base/log.h"
#include "saccade/base/progress.h"
#include "saccade/data/lint.h"
#include "saccade/image/preprocess.h"
#include "saccade/models/registry.h"
#include "saccade/train/autocast.h"
#include "saccade/train/feed.h"
#include "saccade/train/losses.h"
#include "saccade/train/position.h"
#include "saccade/train/pretrained.h"
#include "saccade/train/run_folder.h"
#include "saccade/train/snapshot.h"

namespace saccade::train {
namespace {

constexpr int kSnapshotVersion = 1;

class Stopwatch {
 public:
  /// Seconds since construction or the last lap.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - std::exchange(start_, now)).count();
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void seed_torch(Random random) {
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(random.bits());
}

/// What must be equal for a resumed run: the recipe less what only says where and how long.
Json comparable(Json recipe) {
  if (recipe.contains("data"))
    for (const char* key : {"path", "threads", "cache_mb"}) recipe["data"].erase(key);
  if (recipe.contains("train"))
    for (const char* key : {"max_minutes", "checkpoint_every", "log_every"})
      recipe["train"].erase(key);
  recipe.erase("eval");
  recipe.erase("export");
  return recipe;
}

/// Looks a split through; warnings go to the log, what would spoil a run is an Error.
void check_data(const data::ImageDataset& dataset, const std::string& path,
                const std::string& split) {
  const auto report = data::lint(dataset);
  if (!report.ok())
    throw input_error(path, "the split '{}' is not fit for training:\n{}", split, to_text(report));
  if (!report.findings.empty()) log_warning("{}, split '{}':\n{}", path, split, to_text(report));
}

class Trainer {
 public:
  Trainer(const Recipe& recipe, const TrainOptions& options);
  TrainResult run();
  void dry_run();

 private:
  struct Evaluation {
    double loss = 0.0, top1 = 0.0, top5 = 0.0;
  };

  void open_data();
  void build();
  void load_start(int64_t classes);
  void resume();
  [[nodiscard]] ScheduleConfig schedule_in_steps() const;
  [[nodiscard]] Feed train_feed() const;
  void train_epoch();
  double train_batch(ImageBatch& batch, int64_t index);
  void update();
  [[nodiscard]] Tensor base_loss(const Tensor& logits, const Tensor& targets) const;
  [[nodiscard]] Tensor loss_of(const Tensor& images, const Tensor& targets) const;
  void end_epoch();
  /// Of the first `limit` pictures.
  [[nodiscard]] Evaluation evaluate(models::Model& model, int64_t limit) const;
  [[nodiscard]] Snapshot snapshot() const;
  void save(const std::filesystem::path& path) const { write_snapshot(path, snapshot()); }
  void finish();
  void note_step(int64_t update_in_epoch, double loss);
  [[nodiscard]] ProgressOptions progress_options() const;
  [[nodiscard]] bool out_of_time() const;
  [[nodiscard]] models::Model& averaged() const { return ema_ ? *ema_ : *model_; }

  const Recipe& recipe_;
  const TrainOptions& options_;
  std::optional<RunFolder> folder_;
  std::shared_ptr<const data::ImageDataset> train_set_, eval_set_;
  int64_t updates_per_epoch_ = 0, epochs_ = 0;
  Json config_;
  bool bf16_ = false;
  std::shared_ptr<models::Model> model_, ema_, teacher_;
  std::vector<Tensor> state_, ema_state_;
  size_t buffers_ = 0;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<Schedule> schedule_;
  std::optional<TrainTransform> transform_;
  Position at_;
  Stopwatch watch_;
};

std::vector<Tensor> tensors_of(const NamedParameters& named) {
  std::vector<Tensor> out;
  for (const auto& [name, tensor] : named) out.push_back(tensor);
  return out;
}

Trainer::Trainer(const Recipe& recipe, const TrainOptions& options)
    : recipe_(recipe), options_(options) {
  open_data();
  build();
  if (options_.dry_run) return;
  folder_.emplace(options_.out, options_.resume);
  if (options_.resume) resume();
}

void Trainer::open_data() {
  if (recipe_.data.path.empty())
    throw usage_error("the recipe names no data set: say --data DIR or set data.path");
  const int64_t budget = recipe_.data.cache_mb << 20;
  const auto open = [&](const std::string& split) {
    return std::make_shared<CachedImages>(data::open_image_dataset(recipe_.data.path, split),
                                          budget);
  };
  train_set_ = open(recipe_.data.train_split);
  eval_set_ = open(recipe_.data.eval_split);
  if (eval_set_->size() == 0)
    throw input_error(recipe_.data.path, "the split '{}' is empty", recipe_.data.eval_split);
  if (!options_.resume) {
    check_data(*train_set_, recipe_.data.path, recipe_.data.train_split);
    check_data(*eval_set_, recipe_.data.path, recipe_.data.eval_split);
  }
  if (train_set_->classes() != eval_set_->classes())
    throw input_error(recipe_.data.path, "the splits '{}' and '{}' have different classes",
                      recipe_.data.train_split, recipe_.data.eval_split);
  const int64_t samples = recipe_.train.batch_size * recipe_.train.accumulate;
  updates_per_epoch_ = train_set_->size() / samples;
  if (updates_per_epoch_ == 0)
    throw usage_error("one update takes {} pictures, the data set has {}: lower train.batch_size",
                      samples, train_set_->size());
}

void Trainer::build() {
  if (recipe_.mixup.active() && recipe_.train.batch_size % 2 != 0)
    throw usage_error("mixup pairs the pictures of a batch: train.batch_size {} is odd",
                      recipe_.train.batch_size);
  const auto classes = static_cast<int64_t>(train_set_->classes().size());
  config_ = recipe_.model.config;
  if (!config_.contains("num_classes")) config_["num_classes"] = classes;
  seed_torch(Random(recipe_.seed, 0, 0, "weights"));
  model_ = models::build(recipe_.model.system, config_);
  if (model_->num_classes() != classes)
    throw usage_error("the model has {} classes, the data set {}", model_->num_classes(), classes);
  model_->init_weights();
  load_start(classes);
  const auto named = unique_state(*model_);
  const auto parameters = unique_parameters(*model_);
  state_ = tensors_of(named);
  buffers_ = named.size() - parameters.size();
  if (recipe_.ema.enabled) {
    ema_ = models::build(recipe_.model.system, config_);
    ema_->eval();
    ema_state_ = tensors_of(unique_state(*ema_));
    const torch::NoGradGuard no_grad;
    for (size_t i = 0; i < state_.size(); ++i) ema_state_[i].copy_(state_[i]);
    for (auto& tensor : ema_state_) tensor.requires_grad_(false);
  }
  const auto& part = recipe_.optimizer;
  auto groups =
      part.layer_decay == 1.0
          ? weight_decay_groups(parameters, part.weight_decay, model_->no_weight_decay())
          : layer_decay_groups(parameters, part.weight_decay, model_->no_weight_decay(),
                               part.layer_decay, [&](auto name) { return model_->layer_id(name); });
  std::vector<double> scales;
  for (const auto& group : groups) scales.push_back(group.lr_scale);
  optimizer_ = make_optimizer(part.config, std::move(groups));
  schedule_.emplace(schedule_in_steps(), part.lr, scales);
  epochs_ = static_cast<int64_t>(schedule_length(recipe_.schedule.config)) +
            recipe_.schedule.cooldown_epochs;
  transform_.emplace(recipe_.augment, recipe_.pipeline);
  bf16_ = use_bf16(recipe_.train.amp);
}

/// Weights of others: to begin with (a resumed run has its own), and the teacher's.
void Trainer::load_start(int64_t classes) {
  if (!recipe_.model.init.empty() && !options_.resume) {
    const auto kept = load_pretrained(*model_, recipe_.model.system, recipe_.model.init);
    log_info("weights of {}{}", recipe_.model.init, kept.empty() ? "" : ", with a new head");
  }
  if (recipe_.distillation.teacher.empty()) return;
  const auto named = unique_parameters(*model_);
  if (std::none_of(named.begin(), named.end(),
                   [](const auto& item) { return item.first.starts_with("head_dist"); }))
    throw usage_error("distillation needs a model with a distillation head (deit, distilled)");
  teacher_ = open_teacher(recipe_.distillation.teacher, recipe_.pipeline, classes);
}

/// The recipe counts epochs; schedules that move with updates count those (as timm does).
ScheduleConfig Trainer::schedule_in_steps() const {
  auto config = recipe_.schedule.config;
  if (!recipe_.schedule.on_updates) return config;
  const auto scale = static_cast<double>(updates_per_epoch_);
  for (double* time : {&config.t_initial, &config.warmup_t, &config.decay_t}) *time *= scale;
  for (double& milestone : config.milestones) milestone *= scale;
  return config;
}

void Trainer::resume() {
  const auto path = folder_->last();
  const auto where = path.string();
  const auto state = read_snapshot_state(path);
  if (json_int(state, "version", where) != kSnapshotVersion)
    throw input_error(where, "written by another version of Saccade");
  if (comparable(state.value("recipe", Json::object())) != comparable(recipe_.json))
    throw usage_error("{}: the run was started with another recipe: resume it with that one ({})",
                      where, (folder_->path() / "recipe.json").string());
  at_ = position_from_json(state.value("position", Json::object()), where);
  optimizer_->set_steps(state.value("optimizer_steps", Json()), where);
  schedule_->set_state(state.value("schedule", Json()), where);
  load_snapshot_tensors(path, snapshot().tensors);
}

Snapshot Trainer::snapshot() const {
  Snapshot out;
  const auto add = [&](const char* prefix, const NamedParameters& tensors) {
    for (const auto& [name, tensor] : tensors) out.tensors.emplace_back(prefix + name, tensor);
  };
  add("model.", unique_state(*model_));
  if (ema_) add("ema.", unique_state(*ema_));
  add("optimizer.", optimizer_->state());
  out.state = {{"version", kSnapshotVersion},
               {"torch", TORCH_VERSION},
               {"recipe", recipe_.json},
               {"position", to_json(at_)},
               {"optimizer_steps", optimizer_->steps()},
               {"schedule", schedule_->state()}};
  return out;
}

Feed Trainer::train_feed() const {
  const int64_t samples = updates_per_epoch_ * recipe_.train.accumulate * recipe_.train.batch_size;
  auto picks = data::epoch_order({.size = train_set_->size(),
                                  .shuffle = true,
                                  .seed = recipe_.seed,
                                  .epoch = static_cast<uint64_t>(at_.epoch),
                                  .start = at_.batch * recipe_.train.batch_size,
                                  .batch_size = recipe_.train.batch_size,
                                  .drop_last = true});
  std::erase_if(picks, [&](const data::Pick& pick) { return pick.position >= samples; });
  const auto to_floats = [this, epoch = static_cast<uint64_t>(at_.epoch)](const data::Pick& pick) {
    const Random random(recipe_.seed, epoch, static_cast<uint64_t>(pick.index), "augment");
    return (*transform_)(train_set_->image(pick.index), random, train_set_->name(pick.index));
  };
  const auto [height, width] = std::pair(recipe_.pipeline.crop_height, recipe_.pipeline.crop_width);
  return {train_set_,
          std::move(picks),
          {.batch_size = recipe_.train.batch_size,
           .threads = static_cast<int>(recipe_.data.threads),
           .drop_last = true},
          height,
          width,
          to_floats};
}

Tensor Trainer::base_loss(const Tensor& logits, const Tensor& targets) const {
  const double smoothing = recipe_.mixup.label_smoothing;
  if (recipe_.loss.name == "bce")
    return binary_cross_entropy(logits, targets, {.smoothing = smoothing});
  if (targets.dim() == 2) return soft_target_cross_entropy(logits, targets);
  if (smoothing > 0) return label_smoothing_cross_entropy(logits, targets, smoothing);
  return cross_entropy(logits, targets);
}

/// Losses are computed in fp32, whatever the model computes in.
Tensor Trainer::loss_of(const Tensor& images, const Tensor& targets) const {
  const auto outputs = model_->forward({{"images", images}});
  const auto logits = [&](const char* name) { return outputs[name].to(torch::kFloat32); };
  if (!outputs.contains("logits_dist")) return base_loss(logits("logits"), targets);
  const auto base = base_loss(logits("logits_cls"), targets);
  if (!teacher_) return base;
  Tensor taught;
  {
    const torch::NoGradGuard no_grad;
    taught = teacher_->forward({{"images", images}})["logits"].to(torch::kFloat32);
  }
  return distillation_loss(base, logits("logits_dist"), taught, recipe_.distillation.options);
}

/// Forward and backward of one batch; the loss.
double Trainer::train_batch(ImageBatch& batch, int64_t index) {
  const auto epoch = static_cast<uint64_t>(at_.epoch), number = static_cast<uint64_t>(index);
  seed_torch(Random(recipe_.seed, epoch, number, "dropout"));
  auto targets = batch.labels;
  if (recipe_.mixup.active()) {
    Random random(recipe_.seed, epoch, number, "mixup");
    const auto draws = draw_mixup(recipe_.mixup, batch.images.size(0), batch.images.size(2),
                                  batch.images.size(3), random);
    targets = apply_mixup(recipe_.mixup, draws, batch.images, batch.labels, model_->num_classes());
  }
  if (recipe_.train.channels_last)
    batch.images = batch.images.contiguous(at::MemoryFormat::ChannelsLast);
  Tensor loss;
  {
    const AutocastScope autocast(bf16_);
    loss = loss_of(batch.images, targets);
  }
  const double value = loss.item<double>();
  if (!std::isfinite(value))
    throw Error(ErrorKind::failed_check,
                fmt::format("the loss is {} in epoch {}, batch {}: lower optimizer.lr, or set "
                            "optimizer.clip_grad or train.amp = \"fp32\"",
                            value, at_.epoch + 1, index + 1));
  (loss / static_cast<double>(recipe_.train.accumulate)).backward();
  return value;
}

void Trainer::update() {
  const auto& part = recipe_.optimizer;
  if (part.clip_grad > 0) clip_grad(optimizer_->params(), part.clip_grad, part.clip_mode);
  optimizer_->step(schedule_->rates());
  optimizer_->zero_grad();
  ++at_.updates;
  if (ema_) ema_update(recipe_.ema.config, ema_state_, state_, buffers_, at_.updates);
  if (recipe_.schedule.on_updates) schedule_->step(static_cast<double>(at_.updates));
}

bool Trainer::out_of_time() const {
  return recipe_.train.max_minutes > 0 && at_.seconds > 60 * recipe_.train.max_minutes;
}

ProgressOptions Trainer::progress_options() const {
  ProgressOptions options;
  if (!options_.show_progress) options.style = ProgressOptions::Style::silent;
  return options;
}

void Trainer::note_step(int64_t update_in_epoch, double loss) {
  const auto pictures = static_cast<double>(at_.loss_count);
  folder_->note(
      fmt::format("epoch {} update {}/{} loss {:.4f} mean {:.4f} lr {:.3e} {:.0f} images/s",
                  at_.epoch + 1, update_in_epoch, updates_per_epoch_, loss, at_.loss_sum / pictures,
                  schedule_->rates().back(), pictures / std::max(at_.epoch_seconds, 1e-9)));
}

void Trainer::train_epoch() {
  model_->train();
  auto feed = train_feed();
  const int64_t accumulate = recipe_.train.accumulate, samples = recipe_.train.batch_size;
  Progress progress(fmt::format("epoch {}/{}", at_.epoch + 1, epochs_),
                    updates_per_epoch_ * accumulate * samples, "images", progress_options(),
                    at_.batch * samples);
  while (auto batch = feed.next()) {
    const double loss = train_batch(*batch, at_.batch);
    at_.loss_sum += loss * static_cast<double>(samples);
    at_.loss_count += samples;
    progress.advance(
        samples, fmt::format("loss {:.4f}", at_.loss_sum / static_cast<double>(at_.loss_count)));
    if (++at_.batch % accumulate != 0) continue;
    update();
    const double seconds = watch_.lap();
    at_.seconds += seconds;
    at_.epoch_seconds += seconds;
    const int64_t done = at_.batch / accumulate;
    if (done % recipe_.train.log_every == 0) note_step(done, loss);
    if (options_.stop_requested && options_.stop_requested()) {
      save(folder_->last());
      folder_->log("stopped; continue with --resume");
      throw Error(ErrorKind::interrupted, "stopped; continue with --resume");
    }
    if (out_of_time()) return;
    const int64_t every = recipe_.train.checkpoint_every;
    if (every > 0 && done % every == 0 && done < updates_per_epoch_) save(folder_->last());
  }
}

Trainer::Evaluation Trainer::evaluate(models::Model& model, int64_t limit) const {
  const torch::NoGradGuard no_grad;
  const bool was_training = model.is_training();
  model.eval();
  const int64_t size = std::min(eval_set_->size(), limit);
  const auto first = eval_set_->image(0);
  const auto [height, width] = image::output_size(recipe_.pipeline, first.height, first.width);
  Feed feed(
      eval_set_, data::epoch_order({.size = size}),
      {.batch_size = recipe_.eval.batch_size, .threads = static_cast<int>(recipe_.data.threads)},
      height, width, [this](const data::Pick& pick) {
        const auto tensor = image::preprocess(eval_set_->image(pick.index), recipe_.pipeline);
        const auto values = tensor.as<float>();
        return std::vector<float>(values.begin(), values.end());
      });
  Evaluation sum;
  while (auto batch = feed.next()) {
    const AutocastScope autocast(bf16_);
    const auto logits = model.forward({{"images", batch->images}})["logits"].to(torch::kFloat32);
    const int64_t k = std::min<int64_t>(5, logits.size(1));
    const auto hits = std::get<1>(logits.topk(k, 1)).eq(batch->labels.unsqueeze(1));
    sum.loss += cross_entropy(logits, batch->labels).item<double>() *
                static_cast<double>(batch->labels.size(0));
    sum.top1 += hits.select(1, 0).sum().item<double>();
    sum.top5 += hits.sum().item<double>();
  }
  if (was_training) model.train();
  const auto count = static_cast<double>(size);
  return {sum.loss / count, sum.top1 / count, sum.top5 / count};
}

void Trainer::end_epoch() {
  const bool last = at_.epoch + 1 >= epochs_ || out_of_time();
  Evaluation result{NAN, NAN, NAN};
  if (last || (at_.epoch + 1) % recipe_.eval.every == 0)
    result = evaluate(averaged(), eval_set_->size());
  at_.seconds += watch_.lap();
  const auto pictures = static_cast<double>(std::max<int64_t>(at_.loss_count, 1));
  at_.history.push_back({at_.epoch + 1, schedule_->rates().back(), at_.loss_sum / pictures,
                         result.loss, result.top1, result.top5,
                         pictures / std::max(at_.epoch_seconds, 1e-9), at_.seconds});
  ++at_.epoch;
  at_.batch = 0;
  at_.loss_sum = at_.epoch_seconds = 0.0;
  at_.loss_count = 0;
  at_.finished = last;
  if (!recipe_.schedule.on_updates)
    schedule_->step(static_cast<double>(at_.epoch),
                    std::isnan(result.top1) ? std::nullopt : std::optional(result.top1));
  const auto& row = at_.history.back();
  std::string line =
      fmt::format("epoch {}/{}: train loss {:.4f}", row.epoch, epochs_, row.train_loss);
  if (!std::isnan(row.top1))
    line += fmt::format(", eval loss {:.4f}, top-1 {:.2f} %, top-5 {:.2f} %", row.eval_loss,
                        100 * row.top1, 100 * row.top5);
  folder_->log(fmt::format("{}, {:.0f} images/s, {:.1f} min", line, row.images_per_second,
                           row.seconds / 60));
  const bool better = result.top1 > at_.best_top1;
  if (better) at_.best_top1 = result.top1;
  save(folder_->last());
  if (better) save(folder_->best());
  folder_->write_metrics(recipe_, at_.history);
}

void Trainer::finish() {
  export_model(folder_->model(), unique_state(averaged()),
               {recipe_.model.system, config_, recipe_.pipeline, train_set_->classes()},
               recipe_.output.bf16);
  folder_->log(fmt::format("model written to {}", folder_->model().string()));
}

TrainResult Trainer::run() {
  int64_t parameters = 0;
  for (const auto& param : optimizer_->params()) parameters += param.numel();
  const Json environment = {{"torch", TORCH_VERSION},
                            {"threads", torch::get_num_threads()},
                            {"precision", bf16_ ? "bf16" : "fp32"},
                            {"cpu_capability", at::get_cpu_capability()}};
  folder_->write_recipe(recipe_, environment);
  folder_->log(fmt::format("{} {}: {} parameters, {} pictures, {} epochs of {} updates, {}",
                           options_.resume ? "resuming" : "training", recipe_.name, parameters,
                           train_set_->size(), epochs_, updates_per_epoch_, environment.dump()));
  // An evaluation that cannot work is found now, not after an epoch.
  (void)evaluate(averaged(), recipe_.eval.batch_size);
  watch_.lap();
  while (!at_.finished) {
    train_epoch();
    end_epoch();
  }
  finish();
  TrainResult result{at_.epoch, at_.updates, 0.0, 0.0, at_.seconds, folder_->model()};
  if (!at_.history.empty()) {
    result.top1 = at_.history.back().top1;
    result.top5 = at_.history.back().top5;
  }
  return result;
}

void Trainer::dry_run() {
  model_->train();
  auto feed = train_feed();
  auto batch = feed.next();
  Stopwatch watch;
  const double loss = train_batch(*batch, 0);
  optimizer_->zero_grad();
  (void)evaluate(averaged(), recipe_.eval.batch_size);
  int64_t parameters = 0, bytes = 0;
  for (const auto& param : optimizer_->params()) parameters += param.numel();
  for (const auto& [name, tensor] : snapshot().tensors) bytes += tensor.nbytes();
  log_info(
      "dry run of {}: {} pictures for training and {} for evaluation, {} classes; {} parameters, "
      "{:.1f} MiB of state; {} epochs of {} updates; first batch in {:.2f} s with loss {:.4f} ({})",
      recipe_.name, train_set_->size(), eval_set_->size(), train_set_->classes().size(), parameters,
      static_cast<double>(bytes) / (1 << 20), epochs_, updates_per_epoch_, watch.lap(), loss,
      bf16_ ? "bf16" : "fp32");
}

}  // namespace

TrainResult train(const Recipe& recipe, const TrainOptions& options) {
  Trainer trainer(recipe, options);
  if (!options.dry_run) return trainer.run();
  trainer.dry_run();
  return {};
}

}  // namespace saccade::train
