// classify MODEL PICTURE...: the three most probable classes of each picture. MODEL is a checkpoint
// file or folder that says which architecture it is, as Saccade, timm and Hugging Face write them.
#include <iostream>

#include <saccade/base/error.h>
#include <saccade/models/engine.h>
#include <saccade/models/open.h>
#include <saccade/tasks/classify.h>

int main(int argc, char** argv) try {
  if (argc < 3) throw saccade::usage_error("usage: classify MODEL PICTURE...");
  const auto [about, model, dialect, random_weights] = saccade::models::open(argv[1]);
  const auto engine = saccade::models::eager_engine(model);
  const std::vector<std::string> pictures(argv + 2, argv + argc);
  saccade::tasks::classify_files(
      *engine, about.pipeline, pictures, {.top_k = 3},
      [&labels = about.labels](const saccade::tasks::Classified& answer) {
        std::cout << answer.file << ' ' << answer.error << '\n';
        for (const auto& [index, score] : answer.top)
          std::cout << "  " << score << "  "
                    << (labels.empty() ? std::to_string(index) : labels.at(index)) << '\n';
      });
} catch (const saccade::Error& error) {
  std::cerr << error.what() << '\n';
  return saccade::exit_code(error.kind());
}
