// saccade classify: what is on a picture.

#include <chrono>
#include <cmath>
#include <cstdio>

#include "apps/cli/checks.h"
#include "apps/cli/output.h"
#include "apps/cli/verb.h"
#include "saccade/tasks/classify.h"

namespace saccade::cli {
namespace {

constexpr double kBarWidth = 24.0;

struct Options {
  ModelArgs model;
  std::vector<std::string> paths;
  tasks::ClassifyOptions classify;
  bool json = false;
};

/// The model's name for a class, or "class 123" where it has none.
std::string label_of(const OpenedModel& model, int64_t index) {
  const auto place = static_cast<size_t>(index);
  return place < model.labels.size() ? model.labels[place] : fmt::format("class {}", index);
}

Json to_json(const OpenedModel& model, const tasks::Classified& answer) {
  if (!answer.error.empty()) return {{"file", answer.file}, {"error", answer.error}};
  Json top = Json::array();
  for (const auto& [index, score] : answer.top)
    top.push_back({{"index", index}, {"label", label_of(model, index)}, {"score", score}});
  return {{"file", answer.file}, {"top", top}, {"ms", answer.ms}};
}

std::string bar(double share) {
  std::string text;
  for (long i = std::lround(share * kBarWidth); i > 0; --i) text += "█";
  return text;
}

void print_answer(const OpenedModel& model, const tasks::Classified& answer) {
  if (!answer.error.empty()) {
    std::fflush(stdout);
    fmt::print(stderr, "saccade: {}\n", answer.error);
    return;
  }
  Table table({{"", Align::right}, {""}, {""}});
  for (const auto& [index, score] : answer.top)
    table.add({fmt::format("{:.1f} %", 100.0 * score), label_of(model, index), bar(score)});
  fmt::print("{}  ({:.1f} ms)\n{}\n", answer.file, answer.ms, table.text());
  std::fflush(stdout);
}

int run(const Options& options, const Program& program) {
  const auto model = open_model(program, options.model);
  const auto files = tasks::expand_folders(options.paths);
  if (!options.json) fmt::print("model: {} ({})\n\n", model.name, model.precision);
  Json rows = Json::array();
  int64_t failed = 0;
  const auto start = std::chrono::steady_clock::now();
  tasks::classify_files(*model.engine, model.pipeline, files, options.classify,
                        [&](const tasks::Classified& answer) {
                          failed += answer.error.empty() ? 0 : 1;
                          if (options.json)
                            rows.push_back(to_json(model, answer));
                          else
                            print_answer(model, answer);
                        });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (options.json) {
    print_json(rows);
  } else if (files.size() > 1) {
    fmt::print("{} pictures in {:.2f} s ({:.1f} a second){}\n", files.size(), seconds.count(),
               static_cast<double>(files.size()) / seconds.count(),
               failed > 0 ? fmt::format(", {} of them not answered", failed) : "");
  }
  return failed > 0 ? exit_code(ErrorKind::bad_input) : 0;
}

}  // namespace

Verb classify_verb() {
  return {"classify", "what is on a picture: the most probable classes",
          [](CLI::App& app, const Program& program) -> Action {
            auto options = std::make_shared<Options>();
            auto& classify = options->classify;
            app.add_option("pictures", options->paths, "JPEG and PNG files, or folders of them")
                ->type_name("FILE")
                ->required();
            add_model_options(app, options->model);
            app.add_option("-k,--top-k", classify.top_k, "Classes to show for each picture")
                ->check(CLI::Range(1, 1'000'000));
            app.add_option("--batch", classify.batch_size, "Pictures that the model sees at once")
                ->check(CLI::Range(1, 65536));
            app.add_option("--max-pixels", classify.max_pixels, "Refuse larger pictures")
                ->check(above_zero());
            app.add_flag("--json", options->json, "Print JSON");
            app.footer("Example:\n  saccade classify cat.jpg holiday/ -m vit_base_patch16_224/");
            return [options, &program] { return run(*options, program); };
          }};
}

}  // namespace saccade::cli
