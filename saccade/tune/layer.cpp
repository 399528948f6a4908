#include "saccade/tune/layer.h"

#include <algorithm>

namespace saccade::tune {
namespace {

constexpr std::array<std::string_view, kPrecisions.size()> kNames = {"fp32", "bf16", "int8"};

}  // namespace

std::string_view name(Precision precision) { return kNames[static_cast<size_t>(precision)]; }

std::optional<Precision> parse_precision(std::string_view text) {
  const auto it = std::ranges::find(kNames, text);
  if (it == kNames.end()) return std::nullopt;
  return kPrecisions[static_cast<size_t>(it - kNames.begin())];
}

std::vector<Layer> layers_of(const plan::Graph& optimised, Precision lowest, bool bf16) {
  std::vector<Layer> layers;
  for (const plan::ValueId id : compile::products_of(optimised)) {
    const auto& node = optimised.value(id);
    Layer layer;
    layer.id = id;
    layer.path = node.path;
    layer.op = ops::info(node.op).name;
    for (const Precision p : kPrecisions) {
      const bool wanted = p == Precision::bf16 ? lowest == p || (bf16 && lowest > p) : p <= lowest;
      layer.form(p).possible = wanted && compile::can_compute(optimised, id, p);
      layer.form(p).choice.precision = p;
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

compile::Assignment assignment_of(const std::vector<Layer>& layers) {
  compile::Assignment assignment;
  for (const auto& layer : layers) assignment[layer.id] = layer.form(layer.chosen).choice;
  return assignment;
}

compile::Assignment assignment_of(const std::vector<Layer>& layers, Precision precision) {
  compile::Assignment assignment;
  for (const auto& layer : layers) {
    auto p = static_cast<size_t>(precision);
    while (!layer.forms[p].possible) --p;  // fp32 always is
    assignment[layer.id] = layer.forms[p].choice;
  }
  return assignment;
}

}  // namespace saccade::tune
