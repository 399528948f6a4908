#include "saccade/train/run_folder.h"

#include <chrono>
#include <cmath>
#include <ctime>

#include <fmt/chrono.h>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/base/log.h"
#include "saccade/train/recipe.h"
#include "saccade/train/report.h"

namespace saccade::train {
namespace {

/// NaN has no JSON form.
Json number(double value) { return std::isnan(value) ? Json() : Json(value); }

double number_at(const Json& row, const char* key, const std::string& where) {
  const auto found = row.find(key);
  if (found != row.end() && found->is_null()) return NAN;
  return json_number(row, key, where);
}

std::string cell(double value) { return std::isnan(value) ? "" : fmt::format("{:.6g}", value); }

}  // namespace

Json to_json(const std::vector<EpochMetrics>& history) {
  Json rows = Json::array();
  for (const auto& m : history)
    rows.push_back({{"epoch", m.epoch},
                    {"lr", m.lr},
                    {"train_loss", number(m.train_loss)},
                    {"eval_loss", number(m.eval_loss)},
                    {"top1", number(m.top1)},
                    {"top5", number(m.top5)},
                    {"images_per_second", m.images_per_second},
                    {"seconds", m.seconds}});
  return rows;
}

std::vector<EpochMetrics> history_from_json(const Json& json, const std::string& where) {
  if (!json.is_array()) throw input_error(where, "the history is no array");
  std::vector<EpochMetrics> out;
  for (const auto& row : json) {
    if (!row.is_object()) throw input_error(where, "the history's rows are no objects");
    out.push_back({json_int(row, "epoch", where), number_at(row, "lr", where),
                   number_at(row, "train_loss", where), number_at(row, "eval_loss", where),
                   number_at(row, "top1", where), number_at(row, "top5", where),
                   number_at(row, "images_per_second", where), number_at(row, "seconds", where)});
  }
  return out;
}

RunFolder::RunFolder(std::filesystem::path folder, bool resume) : folder_(std::move(folder)) {
  std::error_code error;
  if (!resume && std::filesystem::exists(last(), error))
    throw usage_error("{} holds a run already: continue it with --resume, or choose another --out",
                      folder_.string());
  std::filesystem::create_directories(folder_, error);
  if (error) throw resource_error("{}: cannot be made: {}", folder_.string(), error.message());
  log_.open(folder_ / "log.txt", resume ? std::ios::app : std::ios::trunc);
  if (!log_) throw resource_error("{}: cannot be written", (folder_ / "log.txt").string());
}

void RunFolder::write_recipe(const Recipe& recipe, const Json& environment) const {
  write_file_atomically(folder_ / "recipe.toml", recipe.text);
  write_file_atomically(folder_ / "recipe.json", recipe.json.dump(2) + "\n");
  write_file_atomically(folder_ / "environment.json", environment.dump(2) + "\n");
}

void RunFolder::note(std::string_view line) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  log_ << fmt::format("{:%Y-%m-%d %H:%M:%S} {}\n", fmt::gmtime(now), line) << std::flush;
}

void RunFolder::log(std::string_view line) {
  note(line);
  log_info("{}", line);
}

void RunFolder::write_metrics(const Recipe& recipe,
                              const std::vector<EpochMetrics>& history) const {
  std::string csv = "epoch,lr,train_loss,eval_loss,top1,top5,images_per_second,seconds\n";
  for (const auto& m : history)
    csv += fmt::format("{},{},{},{},{},{},{},{}\n", m.epoch, cell(m.lr), cell(m.train_loss),
                       cell(m.eval_loss), cell(m.top1), cell(m.top5), cell(m.images_per_second),
                       cell(m.seconds));
  write_file_atomically(folder_ / "metrics.csv", csv);
  write_file_atomically(folder_ / "report.html", html_report(recipe, history));
}

}  // namespace saccade::train
