#include "saccade/tune/calibrate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "saccade/runtime/session.h"

namespace saccade::tune {
namespace {

using compile::Choice, plan::Graph, plan::ValueId;

constexpr int64_t kRangePictures = 64, kErrorPictures = 16;
constexpr int64_t kSamplesPerPicture = 4096;         // of a layer's inputs
constexpr int64_t kGroupBytes = int64_t{256} << 20;  // of answers that are looked at in one run
constexpr double kRarest[] = {0.0, 0.0001, 0.001};   // cut off at each end
constexpr double kLeastScale = 1e-20, kMostScale = 1e20;

/// A plan with further outputs, run on pictures one by one.
class Watched {
 public:
  explicit Watched(const plan::Plan& optimised) : plan_(optimised) {}

  [[nodiscard]] Graph& graph() { return plan_.graph; }
  /// Bytes for one picture.
  [[nodiscard]] int64_t bytes() const { return bytes_; }
  /// The number under which its answers are given.
  size_t watch(ValueId id) {
    const auto& type = plan_.graph.value(id).type;
    bytes_ += resolve(type.dims, 1).count() * saccade::bytes(type.dtype);
    plan_.graph.add_output(fmt::format("watched.{}", plan_.graph.outputs.size()), id);
    return plan_.graph.outputs.size() - 1;
  }

  using Answers = std::function<std::span<const float>(size_t number)>;
  void run(const compile::Assignment& assignment, const Pictures& pictures, int64_t limit,
           const std::function<void(const Answers&)>& visit) const {
    runtime::Session session(
        std::make_shared<const runtime::Model>(compile::emit(plan_, assignment)));
    session.prepare(1);
    const Answers answers = [&](size_t number) {
      const auto bytes = session.output_bytes(number);
      return std::span(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float));
    };
    pictures.for_each(1, limit, [&](const Pictures::Batch& batch) {
      const auto room = session.input(0);
      std::memcpy(room.data(), batch.images.bytes().data(), room.size());
      session.run();
      visit(answers);
    });
  }

 private:
  plan::Plan plan_;
  int64_t bytes_ = 0;
};

/// The numbers that a layer reads.
struct Range {
  float low = 0, high = 0;  ///< with 0 between them
  std::vector<float> sample;

  void add(std::span<const float> values) {
    for (const float value : values) low = std::min(low, value), high = std::max(high, value);
    // An odd stride, so that no column of the rows is preferred.
    const size_t stride = (values.size() / kSamplesPerPicture) | 1;
    for (size_t i = sample.size() % stride; i < values.size(); i += stride)
      sample.push_back(values[i]);
  }

  /// Without so much at each end.
  [[nodiscard]] std::optional<Choice> choice(double rarest) {
    const auto at = [&](double share) {
      const auto place = static_cast<size_t>(share * static_cast<double>(sample.size() - 1));
      std::ranges::nth_element(sample, sample.begin() + static_cast<std::ptrdiff_t>(place));
      return sample[place];
    };
    const double from = rarest > 0 ? std::min(0.0F, at(rarest)) : low;
    const double to = rarest > 0 ? std::max(0.0F, at(1.0 - rarest)) : high;
    const double scale = (to - from) / 255.0;
    if (!(scale > kLeastScale && scale < kMostScale)) return std::nullopt;
    const auto zero = static_cast<int64_t>(std::clamp(std::nearbyint(-from / scale), 0.0, 255.0));
    return Choice{Precision::int8, static_cast<double>(static_cast<float>(scale)), zero};
  }
};

/// The ways in which each int8 layer could round its rows.
std::map<ValueId, std::vector<Choice>> find_choices(const plan::Plan& optimised,
                                                    const Pictures& pictures,
                                                    const std::vector<Layer>& layers,
                                                    const OnPictures& on_pictures) {
  std::map<ValueId, std::vector<Choice>> choices;
  for (size_t i = 0; i < layers.size();) {
    Watched watched(optimised);
    std::map<ValueId, std::pair<size_t, Range>> ranges;  // of layers
    for (; i < layers.size() && watched.bytes() < kGroupBytes; ++i)
      if (layers[i].form(Precision::int8).possible)
        ranges[layers[i].id].first = watched.watch(optimised.graph.value(layers[i].id).operands[0]);
    if (ranges.empty()) continue;
    watched.run({}, pictures, kRangePictures, [&](const auto& answers) {
      if (on_pictures) on_pictures("ranges", 1);
      for (auto& [id, range] : ranges) range.second.add(answers(range.first));
    });
    for (auto& [id, range] : ranges) {
      auto& list = choices[id];
      list.push_back({Precision::int8});
      for (const double rarest : kRarest)
        if (const auto choice = range.second.choice(rarest)) list.push_back(*choice);
    }
  }
  return choices;
}

/// One way to compute a layer, beside the layer itself.
struct Trial {
  size_t layer;
  Choice choice;
  size_t reference, output;  ///< numbers of answers
  double difference = 0, scale = 0;

  void add(std::span<const float> expected, std::span<const float> found) {
    for (size_t i = 0; i < expected.size(); ++i) {
      const double d = double{found[i]} - expected[i];
      difference += d * d;
      scale += double{expected[i]} * expected[i];
    }
  }
  [[nodiscard]] double error() const {
    return scale > 0 ? std::sqrt(difference / scale) : std::sqrt(difference);
  }
};

/// The layer once more, without what a residual adds.
ValueId twin(Graph& graph, ValueId id) {
  const auto node = graph.value(id);
  auto operands = node.operands;
  if (node.op != ops::Op::attention) operands[3] = plan::kAbsent;
  return graph.add_node(node.op, std::move(operands), node.attributes, node.path);
}

void keep_best(const Trial& trial, Layer& layer) {
  auto& form = layer.form(trial.choice.precision);
  const double error = trial.error();
  // An answer that is no number is as wrong as can be.
  const double shown = std::isfinite(error) ? error : 1e9;
  if (form.error && *form.error <= shown) return;
  form.error = shown;
  form.choice = trial.choice;
}

}  // namespace

void measure_errors(const plan::Plan& optimised, const Pictures& pictures,
                    std::vector<Layer>& layers, const OnPictures& on_pictures) {
  const auto choices = find_choices(optimised, pictures, layers, on_pictures);
  for (size_t i = 0; i < layers.size();) {
    Watched watched(optimised);
    compile::Assignment assignment;
    std::vector<Trial> trials;
    const auto try_out = [&](size_t layer, const Choice& choice, size_t reference) {
      const ValueId id = twin(watched.graph(), layers[layer].id);
      assignment[id] = choice;
      trials.push_back({layer, choice, reference, watched.watch(id)});
    };
    for (; i < layers.size() && watched.bytes() < kGroupBytes; ++i) {
      layers[i].form(Precision::fp32).error = 0.0;
      const size_t reference = watched.watch(twin(watched.graph(), layers[i].id));
      if (layers[i].form(Precision::bf16).possible) try_out(i, {Precision::bf16}, reference);
      if (const auto it = choices.find(layers[i].id); it != choices.end())
        for (const auto& choice : it->second) try_out(i, choice, reference);
    }
    watched.run(assignment, pictures, kErrorPictures, [&](const auto& answers) {
      if (on_pictures) on_pictures("errors", 1);
      for (auto& trial : trials) trial.add(answers(trial.reference), answers(trial.output));
    });
    for (const auto& trial : trials) keep_best(trial, layers[trial.layer]);
  }
}

}  // namespace saccade::tune
