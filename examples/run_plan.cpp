// run_plan PLAN FILE: the most probable class of each picture of FILE, all in one batch. FILE holds
// tensors as the model sees them, [N, 3, H, W] as fp32 in the machine's byte order (serve_plan.c
// shows how to get one). Needs no libtorch: saccade::runtime.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <saccade/base/error.h>
#include <saccade/runtime/model.h>
#include <saccade/runtime/session.h>

namespace {

using saccade::runtime::Model;
using saccade::runtime::Session;

/// Reads all of `file` into the session's input, which becomes as large as the file asks for.
void read_pictures(Session& session, const char* file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw saccade::input_error(file, "cannot be opened");
  const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
  session.prepare(1);
  const auto one = session.input(0).size();
  if (bytes.empty() || bytes.size() % one != 0)
    throw saccade::input_error(file, "{} bytes are no multiple of a picture's {}", bytes.size(),
                               one);
  session.prepare(static_cast<int64_t>(bytes.size() / one));
  std::ranges::copy(std::as_bytes(std::span(bytes)), session.input(0).begin());
}

/// Place and softmax probability of the largest of the logits.
std::pair<size_t, float> most_probable(std::span<const float> logits) {
  const auto best = std::ranges::max_element(logits);
  float sum = 0;
  for (const float logit : logits) sum += std::exp(logit - *best);
  return {static_cast<size_t>(best - logits.begin()), 1 / sum};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw saccade::usage_error("usage: run_plan PLAN FILE");
  const auto model = Model::open(argv[1]);  // shared by any number of threads
  Session session(model);                   // belongs to this one
  read_pictures(session, argv[2]);
  session.run();

  const auto answer = session.output(0);  // [N, classes]
  const std::span logits(reinterpret_cast<const float*>(answer.bytes.data()),
                         static_cast<size_t>(answer.numel()));
  const auto classes = static_cast<size_t>(answer.shape.back());
  const auto& labels = model->info().labels;
  for (size_t at = 0; at < logits.size(); at += classes) {
    const auto [index, probability] = most_probable(logits.subspan(at, classes));
    std::cout << (labels.empty() ? std::to_string(index) : labels.at(index)) << '\t' << probability
              << '\n';
  }
} catch (const saccade::Error& error) {
  std::cerr << "run_plan: " << error.what() << '\n';
  return saccade::exit_code(error.kind());
}
