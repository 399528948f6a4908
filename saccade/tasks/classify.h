#pragma once
// Picture files to class scores.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "saccade/base/engine.h"
#include "saccade/base/pipeline.h"

namespace saccade::tasks {

/// A class and its probability.
struct Score {
  int64_t index = 0;
  double score = 0.0;
};

/// The k most probable classes (softmax in double), equal ones by rising index; k is cut at the
/// number of classes.
[[nodiscard]] std::vector<Score> top_scores(std::span<const float> logits, int64_t k);

/// The answer for one file: `top`, or `error` if it could not be answered.
struct Classified {
  std::string file;
  std::vector<Score> top;
  double ms =
      0.0;  ///< decoding and preprocessing, and the picture's share of its batch's inference
  std::string error;
};

struct ClassifyOptions {
  int64_t top_k = 5;
  int64_t batch_size = 8;
  int64_t max_pixels = 64'000'000;
  int threads = 0;  ///< for decoding and preprocessing; 0: all
};

/// Decodes and preprocesses the files on threads while the engine runs, and calls `on_answer` in
/// the order of `files`. A file that is no picture becomes an answer with `error`; what the engine
/// throws ends the call.
void classify_files(Engine& engine, const Pipeline& pipeline, std::span<const std::string> files,
                    const ClassifyOptions& options,
                    const std::function<void(const Classified&)>& on_answer);

/// Files as given, folders replaced by the JPEG and PNG files at any depth below them; in byte
/// order of path. Throws Error (bad_input) for a folder without pictures.
[[nodiscard]] std::vector<std::string> expand_folders(std::span<const std::string> paths);

}  // namespace saccade::tasks
