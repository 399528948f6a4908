#pragma once
// The folder of one run: recipe, environment, log, metrics, report, checkpoints, model.

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "saccade/base/json.h"

namespace saccade::train {

struct Recipe;

/// One line of metrics.csv: an epoch.
struct EpochMetrics {
  int64_t epoch = 0;  ///< 1-based: epochs completed
  double lr = 0.0;
  double train_loss = 0.0;
  double eval_loss = 0.0;  ///< NaN in epochs without evaluation, as are top1 and top5
  double top1 = 0.0;       ///< fractions
  double top5 = 0.0;
  double images_per_second = 0.0;
  double seconds = 0.0;  ///< of work since the run began
};

[[nodiscard]] Json to_json(const std::vector<EpochMetrics>& history);
/// Throws Error (bad_input, naming `where`).
[[nodiscard]] std::vector<EpochMetrics> history_from_json(const Json& json,
                                                          const std::string& where);

class RunFolder {
 public:
  /// Made if absent. A folder that holds a run is refused (Error, usage) unless `resume`.
  RunFolder(std::filesystem::path folder, bool resume);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  [[nodiscard]] std::filesystem::path last() const { return folder_ / "last.safetensors"; }
  [[nodiscard]] std::filesystem::path best() const { return folder_ / "best.safetensors"; }
  [[nodiscard]] std::filesystem::path model() const { return folder_ / "model.safetensors"; }

  /// recipe.toml and recipe.json (with overrides), environment.json.
  void write_recipe(const Recipe& recipe, const Json& environment) const;
  /// One line, with the time, to log.txt.
  void note(std::string_view line);
  /// The same, and to the log callback (base/log.h).
  void log(std::string_view line);
  /// metrics.csv and report.html, as a whole.
  void write_metrics(const Recipe& recipe, const std::vector<EpochMetrics>& history) const;

 private:
  std::filesystem::path folder_;
  std::ofstream log_;
};

}  // namespace saccade::train
