// saccade eval: the accuracy of a classifier on a labelled data set.

#include <algorithm>
#include <array>
#include <filesystem>

#include "apps/cli/checks.h"
#include "apps/cli/output.h"
#include "apps/cli/verb.h"
#include "saccade/base/log.h"
#include "saccade/base/progress.h"
#include "saccade/data/dataset.h"
#include "saccade/tasks/evaluate.h"

namespace saccade::cli {
namespace {

struct Options {
  ModelArgs model;
  std::string data, split;
  tasks::EvaluateOptions evaluate;
  int64_t max_pixels = image::DecodeOptions{}.max_pixels;
  bool json = false;
};

/// The split that is meant where none is named: the only one with the name of a test set.
std::string default_split(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 5> kTestNames{"test", "val", "valid", "validation",
                                                              "eval"};
  std::vector<std::string> found;
  for (const auto& split : data::image_dataset_splits(path))
    if (std::ranges::find(kTestNames, split) != kTestNames.end()) found.push_back(split);
  return found.size() == 1 ? found.front() : "";
}

Json report(const Options& options, const OpenedModel& model, const tasks::Evaluation& evaluation,
            double seconds) {
  Json json = metrics::summary(evaluation.metrics);
  json["classes_matched_by"] = evaluation.classes.matched_by();
  json["model"] = model.name;
  json["precision_of_arithmetic"] = model.precision;
  json["data"] = options.data;
  json["split"] = options.split;
  json["seconds"] = seconds;
  json["images_per_second"] = static_cast<double>(evaluation.metrics.count()) / seconds;
  return json;
}

void print_report(const Json& json) {
  const auto percent = [&](const char* key) {
    return fmt::format("{:.2f} %", 100.0 * json[key].get<double>());
  };
  const auto text = [&](const char* key) { return json[key].get<std::string>(); };
  Table table({{""}, {""}});
  table.add({"model", fmt::format("{} ({})", text("model"), text("precision_of_arithmetic"))});
  table.add({"data", fmt::format("{}{}{}", text("data"), text("split").empty() ? "" : ", split ",
                                 text("split"))});
  table.add({"pictures", fmt::format("{}, classes matched by {}", json["count"].get<int64_t>(),
                                     text("classes_matched_by"))});
  table.add({"top-1", percent("top1")});
  table.add({"top-5", percent("top5")});
  table.add({"balanced", percent("balanced_accuracy")});
  table.add({"NLL", fmt::format("{:.4f}", json["nll"].get<double>())});
  table.add({"ECE", percent("ece")});
  table.add(
      {"time", fmt::format("{}, {:.1f} images/s", format_duration(json["seconds"].get<double>()),
                           json["images_per_second"].get<double>())});
  fmt::print("{}", table.text());
}

int run(Options& options, const Program& program) {
  const auto model = open_model(program, options.model);
  if (options.split.empty()) options.split = default_split(options.data);
  const auto dataset = data::open_image_dataset(
      options.data, options.split, {options.max_pixels, model.pipeline.apply_exif_orientation});
  options.evaluate.where = options.data;
  const auto limit = options.evaluate.limit;
  Progress progress("eval", limit < 0 ? dataset->size() : std::min(limit, dataset->size()));
  const auto evaluation = tasks::evaluate(
      *model.engine, model.pipeline, *dataset, model.labels, options.evaluate,
      [&](int64_t pictures, const metrics::Classification& so_far) {
        progress.advance(pictures, fmt::format("top1 {:.2f} %", 100.0 * so_far.top(1)));
      });
  progress.finish();
  if (!evaluation.classes.by_label && !model.labels.empty())
    log_warning("{}: class names are no labels of the model; matched in sorted order",
                options.data);
  const auto json = report(options, model, evaluation, progress.seconds());
  if (options.json)
    print_json(json);
  else
    print_report(json);
  return 0;
}

}  // namespace

Verb eval_verb() {
  return {"eval", "the accuracy of a model on a labelled data set",
          [](CLI::App& app, const Program& program) -> Action {
            auto options = std::make_shared<Options>();
            app.add_option("--data", options->data,
                           "Class folders, a tar of them, or a CIFAR binary folder")
                ->type_name("PATH")
                ->required();
            app.add_option("--split", options->split, "Part of it: test, val, train, ...")
                ->type_name("NAME");
            options->model.residence = plan::Residence::automatic;
            add_model_options(app, options->model);
            app.add_option("--batch", options->evaluate.batch_size,
                           "Pictures that the model sees at once")
                ->check(CLI::Range(1, 65536));
            app.add_option("--limit", options->evaluate.limit,
                           "So many pictures, spread evenly (default: all)")
                ->default_str("")
                ->check(above_zero());
            app.add_option("--max-pixels", options->max_pixels, "Refuse larger pictures")
                ->check(above_zero());
            app.add_flag("--json", options->json, "Print JSON");
            app.footer("Example:\n  saccade eval -m model.safetensors --data cifar10 --split test");
            return [options, &program] { return run(*options, program); };
          }};
}

}  // namespace saccade::cli
