#include "saccade/tasks/classify.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "saccade/base/error.h"
#include "saccade/data/loader.h"
#include "saccade/data/picture_tree.h"
#include "saccade/image/decode.h"
#include "saccade/image/preprocess.h"
#include "saccade/metrics/classification.h"
#include "saccade/tasks/batch.h"

namespace saccade::tasks {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// A picture as the model sees it, or what was wrong with its file.
struct Prepared {
  HostTensor picture;  ///< [3, H, W]
  std::string error;
  double ms = 0.0;
};

Prepared prepare(const std::string& file, const Pipeline& pipeline, int64_t max_pixels) {
  const auto start = Clock::now();
  Prepared prepared;
  try {
    const auto picture = image::read_image(file, {max_pixels, pipeline.apply_exif_orientation});
    prepared.picture = image::preprocess(picture, pipeline);
  } catch (const Error& error) {
    prepared.error = error.what();
  }
  prepared.ms = ms_since(start);
  return prepared;
}

/// Fills in the answers that have no error yet.
void answer_batch(Engine& engine, std::span<const HostTensor> pictures,
                  std::span<Classified*> answers, int64_t top_k) {
  const auto start = Clock::now();
  const auto logits = run_logits(engine, pictures);
  const double share = ms_since(start) / static_cast<double>(pictures.size());
  const auto classes = static_cast<size_t>(logits.shape()[1]);
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto row = logits.as<float>().subspan(i * classes, classes);
    answers[i]->ms += share;
    if (std::ranges::any_of(row, [](float x) { return std::isnan(x); }))
      answers[i]->error = answers[i]->file + ": the model's output is no number (NaN)";
    else
      answers[i]->top = top_scores(row, top_k);
  }
}

}  // namespace

std::vector<Score> top_scores(std::span<const float> logits, int64_t k) {
  std::vector<int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::clamp<int64_t>(k, 0, static_cast<int64_t>(order.size()));
  std::ranges::partial_sort(order, order.begin() + count, [&](int64_t a, int64_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    if (metrics::stands_before(x, y)) return true;
    return !metrics::stands_before(y, x) && a < b;
  });
  const auto probabilities = metrics::softmax(logits);
  std::vector<Score> top;
  for (const auto index : std::span(order).first(static_cast<size_t>(count)))
    top.push_back({index, probabilities[static_cast<size_t>(index)]});
  return top;
}

void classify_files(Engine& engine, const Pipeline& pipeline, std::span<const std::string> files,
                    const ClassifyOptions& options,
                    const std::function<void(const Classified&)>& on_answer) {
  data::Loader<Prepared> loader(
      data::epoch_order({.size = static_cast<int64_t>(files.size())}),
      {.batch_size = options.batch_size, .threads = options.threads}, [&](const data::Pick& pick) {
        return prepare(files[static_cast<size_t>(pick.index)], pipeline, options.max_pixels);
      });
  while (auto batch = loader.next()) {
    std::vector<Classified> answers;
    for (size_t i = 0; i < batch->samples.size(); ++i) {
      auto& sample = batch->samples[i];
      const auto& file = files[static_cast<size_t>(batch->picks[i].index)];
      answers.push_back({file, {}, sample.ms, std::move(sample.error)});
    }
    std::vector<HostTensor> pictures;
    std::vector<Classified*> open;
    for (size_t i = 0; i < answers.size(); ++i) {
      if (!answers[i].error.empty()) continue;
      pictures.push_back(std::move(batch->samples[i].picture));
      open.push_back(&answers[i]);
    }
    if (!open.empty()) answer_batch(engine, pictures, open, options.top_k);
    for (const auto& answer : answers) on_answer(answer);
  }
}

std::vector<std::string> expand_folders(std::span<const std::string> paths) {
  std::vector<std::string> files;
  for (const auto& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    const auto tree = data::list_folder(path);
    if (tree.pictures.empty()) throw input_error(path, "holds no .jpg, .jpeg or .png file");
    for (const auto& leaf : tree.pictures) files.push_back((fs::path(path) / leaf.path).string());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace saccade::tasks
