#include "saccade/train/recipe.h"

#include <utility>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/base/suggest.h"
#include "saccade/base/toml.h"

namespace saccade::train {
namespace {

/// One table: typed reads that remember what was asked for, so that `done` can refuse the rest.
class Table {
 public:
  Table(const Json& json, std::string path, std::string_view file)
      : json_(json), path_(std::move(path)), file_(file) {
    if (!json_.is_object()) throw input_error(file_, "[{}] is not a table", path_);
  }

  template <class T>
  void read(const char* key, T& out) {
    known_.emplace_back(key);
    const auto found = json_.find(key);
    if (found != json_.end()) get(*found, key, out);
  }

  [[nodiscard]] Table table(const char* key) {
    known_.emplace_back(key);
    static const Json kEmpty = Json::object();
    const auto found = json_.find(key);
    return {found == json_.end() ? kEmpty : *found, path_.empty() ? key : path_ + "." + key, file_};
  }

  void done() const {
    for (const auto& item : json_.items())
      if (std::find(known_.begin(), known_.end(), item.key()) == known_.end())
        throw input_error(file_, "unknown key '{}'{}", full(item.key()),
                          did_you_mean(item.key(), known_));
  }

  template <class... Args>
  [[nodiscard]] Error error(const char* key, fmt::format_string<Args...> text, Args&&... args) {
    return input_error(file_, "{}: {}", full(key), fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  [[nodiscard]] std::string full(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
  }
  [[nodiscard]] std::string where() const { return file_ + (path_.empty() ? "" : ": " + path_); }

  void get(const Json&, const char* key, double& out) { out = json_number(json_, key, where()); }
  void get(const Json&, const char* key, bool& out) { out = json_bool(json_, key, where()); }
  void get(const Json&, const char* key, std::string& out) {
    out = json_string(json_, key, where());
  }
  void get(const Json&, const char* key, int64_t& out) { out = json_int(json_, key, where()); }
  void get(const Json& value, const char* key, uint64_t& out) {
    if (json_int(json_, key, where()) < 0) throw error(key, "{} is negative", value.dump());
    out = value.get<uint64_t>();
  }
  void get(const Json& value, const char*, Json& out) { out = value; }
  template <class T>
  void get(const Json& value, const char* key, std::optional<T>& out) {
    get(value, key, out.emplace());
  }
  void get(const Json& value, const char* key, std::vector<double>& out) {
    out.clear();
    if (!value.is_array()) throw error(key, "expected an array of numbers");
    for (const auto& item : value) {
      if (!item.is_number()) throw error(key, "expected an array of numbers");
      out.push_back(item.get<double>());
    }
  }
  template <size_t N>
  void get(const Json& value, const char* key, std::array<double, N>& out) {
    std::vector<double> values;
    get(value, key, values);
    if (values.size() != N) throw error(key, "expected {} numbers, got {}", N, values.size());
    std::copy(values.begin(), values.end(), out.begin());
  }

  const Json& json_;
  std::string path_;
  std::string file_;
  std::vector<std::string> known_;
};

void read_data(Table t, Recipe::Data& data) {
  t.read("path", data.path);
  t.read("train_split", data.train_split);
  t.read("eval_split", data.eval_split);
  t.read("cache_mb", data.cache_mb);
  t.read("threads", data.threads);
  t.done();
}

void read_model(Table t, Recipe::ModelPart& model) {
  t.read("system", model.system);
  t.read("config", model.config);
  t.read("init", model.init);
  t.done();
  if (model.system.empty()) throw t.error("system", "missing: which model is to be trained?");
  if (!model.config.is_object()) throw t.error("config", "expected a table");
}

void read_erase(Table t, EraseConfig& erase) {
  std::string mode = "const";
  t.read("probability", erase.probability);
  t.read("mode", mode);
  t.read("min_area", erase.min_area);
  t.read("max_area", erase.max_area);
  t.read("min_aspect", erase.min_aspect);
  t.read("max_aspect", erase.max_aspect);
  t.read("min_count", erase.min_count);
  erase.max_count = erase.min_count;
  t.read("max_count", erase.max_count);
  t.done();
  erase.mode = parse_erase_mode(mode);
  if (erase.min_count < 1 || erase.max_count < erase.min_count)
    throw t.error("max_count", "expected 1 <= min_count <= max_count");
  if (!(erase.min_aspect > 0)) throw t.error("min_aspect", "is not positive");
}

void read_augment(Table t, TransformConfig& augment) {
  std::string crop = "none", policy, interpolation = "random";
  t.read("crop", crop);
  t.read("padding", augment.padding);
  t.read("scale", augment.scale);
  t.read("ratio", augment.ratio);
  t.read("interpolation", interpolation);
  t.read("hflip", augment.hflip);
  t.read("auto_augment", policy);
  read_erase(t.table("erase"), augment.erase);
  t.done();
  augment.crop = parse_train_crop(crop);
  if (!policy.empty()) augment.auto_augment = parse_auto_augment(policy);
  if (interpolation == "bilinear")
    augment.interpolation = Interpolation::bilinear;
  else if (interpolation == "bicubic")
    augment.interpolation = Interpolation::bicubic;
  else if (interpolation != "random")
    throw t.error("interpolation", "'{}' is none of random, bilinear, bicubic", interpolation);
  if (augment.padding < 0) throw t.error("padding", "{} is negative", augment.padding);
  if (!(augment.ratio[0] > 0 && augment.ratio[1] > 0)) throw t.error("ratio", "is not positive");
}

void read_mixup(Table t, MixupConfig& mixup) {
  std::string mode = "batch";
  t.read("mixup", mixup.mixup_alpha);
  t.read("cutmix", mixup.cutmix_alpha);
  t.read("cutmix_minmax", mixup.cutmix_minmax);
  t.read("prob", mixup.prob);
  t.read("switch_prob", mixup.switch_prob);
  t.read("mode", mode);
  t.read("correct_lam", mixup.correct_lam);
  t.done();
  mixup.mode = parse_mixup_mode(mode);
}

void read_loss(Table t, Recipe& recipe) {
  t.read("name", recipe.loss.name);
  t.read("label_smoothing", recipe.mixup.label_smoothing);
  t.done();
  if (recipe.loss.name != "ce" && recipe.loss.name != "bce")
    throw t.error("name", "'{}' is neither ce nor bce", recipe.loss.name);
}

void read_distillation(Table t, Recipe::DistillationPart& part) {
  std::string type = "none";
  t.read("teacher", part.teacher);
  t.read("type", type);
  t.read("alpha", part.options.alpha);
  t.read("tau", part.options.tau);
  t.done();
  part.options.type = parse_distillation(type);
  if ((part.options.type == Distillation::none) != part.teacher.empty())
    throw t.error("teacher", "a teacher and a type (soft, hard) belong together");
  if (!(part.options.tau > 0)) throw t.error("tau", "{} is not positive", part.options.tau);
}

void read_optimizer(Table t, Recipe::OptimizerPart& part) {
  std::string clip_mode = "norm";
  std::array<double, 2> betas{part.config.beta1, part.config.beta2};
  t.read("name", part.config.name);
  t.read("lr", part.lr);
  t.read("weight_decay", part.weight_decay);
  t.read("layer_decay", part.layer_decay);
  t.read("clip_grad", part.clip_grad);
  t.read("clip_mode", clip_mode);
  t.read("betas", betas);
  t.read("eps", part.config.eps);
  t.read("amsgrad", part.config.amsgrad);
  t.read("momentum", part.config.momentum);
  t.read("dampening", part.config.dampening);
  t.read("nesterov", part.config.nesterov);
  t.read("trust_clip", part.config.trust_clip);
  t.read("always_adapt", part.config.always_adapt);
  t.read("caution", part.config.caution);
  t.done();
  part.config.beta1 = betas[0];
  part.config.beta2 = betas[1];
  part.clip_mode = parse_clip_mode(clip_mode);
  if (!(part.lr > 0)) throw t.error("lr", "{} is not positive", part.lr);
}

void read_schedule(Table t, Recipe::SchedulePart& part) {
  auto& c = part.config;
  t.read("name", c.name);
  t.read("epochs", part.epochs);
  t.read("on_updates", part.on_updates);
  t.read("cooldown_epochs", part.cooldown_epochs);
  t.read("warmup_epochs", c.warmup_t);
  t.read("warmup_lr", c.warmup_lr);
  t.read("warmup_prefix", c.warmup_prefix);
  t.read("min_lr", c.min_lr);
  t.read("decay_epochs", c.decay_t);
  t.read("decay_milestones", c.milestones);
  t.read("decay_rate", c.decay_rate);
  t.read("cycle_mul", c.cycle_mul);
  t.read("cycle_decay", c.cycle_decay);
  t.read("cycle_limit", c.cycle_limit);
  t.read("k_decay", c.k_decay);
  t.read("patience_epochs", c.patience_t);
  t.done();
  if (part.epochs <= 0) throw t.error("epochs", "{} is not positive", part.epochs);
  if (part.cooldown_epochs < 0) throw t.error("cooldown_epochs", "is negative");
  if (c.name == "plateau" && part.on_updates) part.on_updates = false;
  c.t_initial = static_cast<double>(part.epochs);
}

void read_train(Table t, Recipe::Train& train) {
  t.read("batch_size", train.batch_size);
  t.read("accumulate", train.accumulate);
  t.read("amp", train.amp);
  t.read("channels_last", train.channels_last);
  t.read("max_minutes", train.max_minutes);
  t.read("checkpoint_every", train.checkpoint_every);
  t.read("log_every", train.log_every);
  t.done();
  if (train.batch_size <= 0) throw t.error("batch_size", "{} is not positive", train.batch_size);
  if (train.accumulate <= 0) throw t.error("accumulate", "{} is not positive", train.accumulate);
  if (train.log_every <= 0) throw t.error("log_every", "{} is not positive", train.log_every);
  if (train.amp != "auto" && train.amp != "fp32" && train.amp != "bf16")
    throw t.error("amp", "'{}' is none of auto, fp32, bf16", train.amp);
}

void read_ema(Table t, Recipe::Ema& ema) {
  std::string rule = "v3";
  double decay = 0.0;
  t.read("decay", decay);
  t.read("rule", rule);
  t.read("use_warmup", ema.config.use_warmup);
  t.read("warmup_gamma", ema.config.warmup_gamma);
  t.read("warmup_power", ema.config.warmup_power);
  t.read("min_decay", ema.config.min_decay);
  t.read("update_after_step", ema.config.update_after_step);
  t.read("exclude_buffers", ema.config.exclude_buffers);
  t.done();
  ema.enabled = decay > 0;
  ema.config.decay = decay;
  if (decay < 0 || decay >= 1) throw t.error("decay", "{} is not in [0, 1)", decay);
  if (rule != "v2" && rule != "v3") throw t.error("rule", "'{}' is neither v2 nor v3", rule);
  ema.config.rule = rule == "v2" ? EmaRule::v2 : EmaRule::v3;
}

void read_eval(Table t, Recipe::Eval& eval) {
  t.read("every", eval.every);
  t.read("batch_size", eval.batch_size);
  t.done();
  if (eval.every <= 0) throw t.error("every", "{} is not positive", eval.every);
  if (eval.batch_size <= 0) throw t.error("batch_size", "{} is not positive", eval.batch_size);
}

void read_export(Table t, Recipe::Export& output) {
  std::string dtype = "fp32";
  t.read("dtype", dtype);
  t.done();
  if (dtype != "fp32" && dtype != "bf16")
    throw t.error("dtype", "'{}' is neither fp32 nor bf16", dtype);
  output.bf16 = dtype == "bf16";
}

/// "a.b=1" sets json["a"]["b"] to the TOML value 1, or to the text if it is no TOML value.
void apply_override(Json& json, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0)
    throw usage_error("--set {}: expected table.key=value", text);
  const std::string value = text.substr(equals + 1);
  Json parsed;
  try {
    parsed = parse_toml("value = " + value, "--set")["value"];
  } catch (const Error&) {
    parsed = value;
  }
  Json* place = &json;
  std::string rest = text.substr(0, equals);
  for (size_t dot; (dot = rest.find('.')) != rest.npos; rest.erase(0, dot + 1)) {
    place = &(*place)[rest.substr(0, dot)];
    if (!place->is_object() && !place->is_null())
      throw usage_error("--set {}: '{}' is not a table", text, rest.substr(0, dot));
  }
  (*place)[rest] = std::move(parsed);
}

}  // namespace

Recipe parse_recipe(std::string_view text, std::string_view where,
                    const std::vector<std::string>& overrides) {
  Recipe recipe;
  recipe.text = text;
  recipe.json = parse_toml(text, where);
  for (const auto& item : overrides) apply_override(recipe.json, item);
  Table t(recipe.json, "", where);
  t.read("name", recipe.name);
  t.read("seed", recipe.seed);
  read_data(t.table("data"), recipe.data);
  read_model(t.table("model"), recipe.model);
  Json pipeline = Json::object();
  t.read("pipeline", pipeline);
  recipe.pipeline = pipeline_from_json(pipeline, fmt::format("{}: [pipeline]", where));
  read_augment(t.table("augment"), recipe.augment);
  read_mixup(t.table("mixup"), recipe.mixup);
  read_loss(t.table("loss"), recipe);
  read_distillation(t.table("distillation"), recipe.distillation);
  read_optimizer(t.table("optimizer"), recipe.optimizer);
  read_schedule(t.table("schedule"), recipe.schedule);
  read_train(t.table("train"), recipe.train);
  read_ema(t.table("ema"), recipe.ema);
  read_eval(t.table("eval"), recipe.eval);
  read_export(t.table("export"), recipe.output);
  t.done();
  return recipe;
}

Recipe read_recipe(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  auto recipe = parse_recipe(read_text(path, 4 << 20), path.string(), overrides);
  if (recipe.name.empty()) recipe.name = path.stem().string();
  for (auto* file : {&recipe.data.path, &recipe.model.init, &recipe.distillation.teacher})
    if (const std::filesystem::path given = *file; !given.empty() && given.is_relative())
      *file = (path.parent_path() / given).lexically_normal().string();
  return recipe;
}

}  // namespace saccade::train
