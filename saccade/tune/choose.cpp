#include "saccade/tune/choose.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace saccade::tune {
namespace {

constexpr double kGain = 0.97;     // of the time before, at most
constexpr double kLeastMs = 1e-4;  // shorter differences are noise

bool is_faster(const Form& form, const Form& than) {
  return !form.ms || !than.ms || *form.ms < kGain * *than.ms;
}

std::string why_higher(const Layer& layer, Precision lowest) {
  const auto& form = layer.form(lowest);
  if (!form.possible)
    return layer.op == "linear" ? fmt::format("its weights have no {}", name(lowest))
                                : fmt::format("{} has no {}", layer.op, name(lowest));
  return fmt::format("not faster in {} here", name(lowest));
}

/// The next higher form that is worth having.
Precision above(const Layer& layer, Precision from) {
  const auto &half = layer.form(Precision::bf16), &low = layer.form(from);
  const bool worth = from == Precision::int8 && half.possible &&
                     is_faster(half, layer.form(Precision::fp32)) &&
                     half.error.value_or(0.0) < low.error.value_or(0.0);
  return worth ? Precision::bf16 : Precision::fp32;
}

/// One layer one precision higher.
struct Raise {
  size_t layer;
  Precision to;
};

double worth(const Layer& layer, Precision from) {
  const auto &low = layer.form(from), &high = layer.form(above(layer, from));
  const double error = low.error.value_or(0.0) - high.error.value_or(0.0);
  const double lost = low.ms && high.ms ? *high.ms - *low.ms : 1.0;
  return error / std::max(lost, kLeastMs);
}

/// All raises until everything is fp32, the most worthwhile first.
std::vector<Raise> all_raises(const std::vector<Layer>& layers) {
  std::vector<Precision> now;
  now.reserve(layers.size());
  for (const auto& layer : layers) now.push_back(layer.chosen);
  std::vector<Raise> raises;
  for (;;) {
    double most = -std::numeric_limits<double>::infinity();
    size_t best = layers.size();
    for (size_t i = 0; i < layers.size(); ++i) {
      if (now[i] == Precision::fp32) continue;
      if (const double w = worth(layers[i], now[i]); w > most) most = w, best = i;
    }
    if (best == layers.size()) return raises;
    now[best] = above(layers[best], now[best]);
    raises.push_back({best, now[best]});
  }
}

std::vector<Layer> raised(std::vector<Layer> layers, const std::vector<Raise>& raises,
                          size_t count) {
  for (size_t i = 0; i < count; ++i) {
    auto& layer = layers[raises[i].layer];
    layer.chosen = raises[i].to;
    layer.reason = "raised to keep the budget";
  }
  return layers;
}

}  // namespace

void choose_fastest(std::vector<Layer>& layers, Precision lowest) {
  for (auto& layer : layers) {
    layer.chosen = Precision::fp32;
    for (const Precision p : {Precision::bf16, Precision::int8})
      if (layer.form(p).possible && is_faster(layer.form(p), layer.form(layer.chosen)))
        layer.chosen = p;
    layer.reason = layer.chosen == lowest ? "" : why_higher(layer, lowest);
  }
}

void fit_budget(std::vector<Layer>& layers, double budget,
                const std::function<double(const compile::Assignment&)>& loss) {
  const auto raises = all_raises(layers);
  const auto passes = [&](size_t count) {
    return loss(assignment_of(raised(layers, raises, count))) <= budget;
  };
  if (passes(0)) return;
  size_t too_few = 0, enough = 1;
  while (enough < raises.size() && !passes(enough)) too_few = enough, enough *= 2;
  if (enough >= raises.size()) {
    enough = raises.size();
    static_cast<void>(passes(enough));  // everything is fp32: the caller sees it measured
  }
  while (enough > too_few + 1) {
    const size_t middle = too_few + (enough - too_few) / 2;
    (passes(middle) ? enough : too_few) = middle;
  }
  layers = raised(std::move(layers), raises, enough);
}

}  // namespace saccade::tune
