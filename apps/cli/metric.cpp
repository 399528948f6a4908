// saccade metric NAME A B: metrics of predictions and truth that lie in files.

#include <array>

#include "apps/cli/output.h"
#include "apps/cli/tensor_file.h"
#include "apps/cli/verb.h"
#include "saccade/metrics/classification.h"

namespace saccade::cli {
namespace {

constexpr int64_t kMaxMatrix = 4096;  // classes of a confusion matrix that is printed

struct AccuracyOptions {
  std::string logits, labels, logits_key, labels_key;
  std::vector<int64_t> top_k{1, 5};
  int64_t bins = 15;
  bool per_class = false, confusion = false, json = false;
};

metrics::Classification measure_accuracy(const AccuracyOptions& options) {
  const auto logits = to_float(read_tensor(options.logits, options.logits_key, "logits"));
  const auto& shape = logits.shape();
  if (shape.size() != 2 || shape[1] < 1)
    throw input_error(options.logits, "logits are [samples, classes], it holds {}",
                      to_string(shape));
  const auto labels =
      to_integers(read_tensor(options.labels, options.labels_key, "labels"), options.labels);
  if (static_cast<int64_t>(labels.size()) != shape[0])
    throw input_error(options.labels, "{} labels for {} rows of logits in {}", labels.size(),
                      shape[0], options.logits);
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= shape[1])
      throw input_error(options.labels, "label {} of sample {} is none of the {} classes",
                        labels[i], i, shape[1]);
  metrics::Classification metrics(shape[1], {options.bins});
  metrics.add(logits, labels);
  return metrics;
}

Json matrix(const metrics::Confusion& confusion) {
  if (confusion.classes() > kMaxMatrix)
    throw unsupported_error("a confusion matrix of {} classes is not printed (at most {})",
                            confusion.classes(), kMaxMatrix);
  const std::vector<int64_t> empty(static_cast<size_t>(confusion.classes()), 0);
  std::vector<std::vector<int64_t>> rows(empty.size(), empty);
  for (const auto& [pair, count] : confusion.cells())
    rows[static_cast<size_t>(pair.first)][static_cast<size_t>(pair.second)] = count;
  return rows;
}

void print_accuracy(const Json& json) {
  Table table({{""}, {"", Align::right}});
  for (const auto& [key, value] : json.items()) {
    if (value.is_number_integer()) table.add({key, value.dump()});
    if (value.is_number_float()) table.add({key, fmt::format("{:.6f}", value.get<double>())});
  }
  fmt::print("{}", table.text());
  if (json.contains("per_class")) {
    using enum Align;
    Table classes({{"class", right},
                   {"support", right},
                   {"precision", right},
                   {"recall", right},
                   {"f1", right}});
    for (const auto& row : json["per_class"]) {
      const auto number = [&](const char* key) {
        return fmt::format("{:.4f}", row[key].get<double>());
      };
      classes.add({row["class"].dump(), row["support"].dump(), number("precision"),
                   number("recall"), number("f1")});
    }
    fmt::print("\n{}", classes.text());
  }
  if (json.contains("confusion")) {
    Table cells(std::vector<Table::Column>(json["confusion"].size(), {"", Align::right}));
    for (const auto& row : json["confusion"]) {
      std::vector<std::string> line;
      for (const auto& count : row) line.push_back(count.dump());
      cells.add(std::move(line));
    }
    fmt::print("\nconfusion (rows: truth, columns: prediction)\n{}", cells.text());
  }
}

int run_accuracy(const AccuracyOptions& options) {
  const auto metrics = measure_accuracy(options);
  Json json;
  for (const auto k : options.top_k) json[fmt::format("top{}", k)] = metrics.top(k);
  json.update(metrics::summary(metrics));
  if (options.per_class) json["per_class"] = metrics::per_class(metrics);
  if (options.confusion) json["confusion"] = matrix(metrics.confusion());
  if (options.json)
    print_json(json);
  else
    print_accuracy(json);
  return 0;
}

Action add_accuracy(CLI::App& app) {
  auto options = std::make_shared<AccuracyOptions>();
  app.add_option("logits", options->logits, "File with \"logits\" [samples, classes]")
      ->type_name("FILE")
      ->required();
  app.add_option("labels", options->labels, "File with \"labels\" [samples]; may be the same file")
      ->type_name("FILE")
      ->required();
  app.add_option("--logits-key", options->logits_key, "Name of the logits in their file")
      ->type_name("NAME");
  app.add_option("--labels-key", options->labels_key, "Name of the labels in their file")
      ->type_name("NAME");
  app.add_option("-k,--top-k", options->top_k, "Top-k accuracies to print")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--bins", options->bins, "Bins of the calibration errors")
      ->check(CLI::Range(1, 100'000));
  app.add_flag("--per-class", options->per_class, "Precision, recall and F1 of every class");
  app.add_flag("--confusion", options->confusion, "The confusion matrix, rows = truth");
  app.add_flag("--json", options->json, "Print JSON");
  app.footer(
      "Files: .npy, .npz, .safetensors, .pth. Example:\n"
      "  saccade metric accuracy logits.npy labels.npy --json");
  return [options] { return run_accuracy(*options); };
}

/// One metric is one row.
struct Metric {
  const char* name;
  const char* summary;
  Action (*add)(CLI::App& app);
};

constexpr std::array<Metric, 1> kMetrics{{
    {"accuracy", "top-k, precision and recall, calibration of a classifier", add_accuracy},
}};

}  // namespace

Verb metric_verb() {
  return {"metric", "metrics of predictions and truth that lie in files",
          [](CLI::App& app, const Program&) -> Action {
            auto chosen = std::make_shared<Action>();
            for (const auto& metric : kMetrics) {
              auto* sub = app.add_subcommand(metric.name, metric.summary);
              sub->formatter(app.get_formatter());
              sub->callback([chosen, action = metric.add(*sub)] { *chosen = action; });
            }
            app.require_subcommand(1);
            app.footer("Example:\n  saccade metric accuracy logits.npy labels.npy");
            return [chosen] { return (*chosen)(); };
          }};
}

}  // namespace saccade::cli
