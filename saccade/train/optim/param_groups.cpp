#include "saccade/train/optim/param_groups.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

namespace saccade::train {
namespace {

void add_unique(NamedParameters& out, std::unordered_set<const void*>& seen,
                const torch::OrderedDict<std::string, Tensor>& items) {
  for (const auto& item : items)
    if (seen.insert(item.value().unsafeGetTensorImpl()).second)
      out.emplace_back(item.key(), item.value());
}

/// Shell-style: `*` stands for any run of characters.
bool matches(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  for (size_t skip = 0; skip <= name.size(); ++skip)
    if (matches(pattern, name.substr(skip))) return true;
  return false;
}

bool listed(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return matches(pattern, name); });
}

}  // namespace

NamedParameters unique_parameters(const torch::nn::Module& module) {
  NamedParameters out;
  std::unordered_set<const void*> seen;
  add_unique(out, seen, module.named_parameters());
  return out;
}

NamedParameters unique_state(const torch::nn::Module& module) {
  NamedParameters out;
  std::unordered_set<const void*> seen;
  add_unique(out, seen, module.named_parameters());
  add_unique(out, seen, module.named_buffers());
  return out;
}

std::vector<ParamGroup> weight_decay_groups(const NamedParameters& parameters, double weight_decay,
                                            const std::vector<std::string>& no_weight_decay) {
  std::vector<ParamGroup> groups(2);
  groups[1].weight_decay = weight_decay;
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.requires_grad()) continue;
    const bool no_decay =
        parameter.dim() <= 1 || name.ends_with(".bias") || listed(no_weight_decay, name);
    groups[no_decay ? 0 : 1].names.push_back(name);
    groups[no_decay ? 0 : 1].params.push_back(parameter);
  }
  std::erase_if(groups, [](const ParamGroup& group) { return group.params.empty(); });
  return groups;
}

std::vector<ParamGroup> layer_decay_groups(
    const NamedParameters& parameters, double weight_decay,
    const std::vector<std::string>& no_weight_decay, double layer_decay,
    const std::function<int64_t(std::string_view)>& layer_id) {
  int64_t last = 0;
  for (const auto& [name, parameter] : parameters) last = std::max(last, layer_id(name));
  std::vector<ParamGroup> groups;
  std::map<std::pair<int64_t, bool>, size_t> known;
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.requires_grad()) continue;
    const int64_t layer = layer_id(name);
    const bool no_decay = parameter.dim() <= 1 || listed(no_weight_decay, name);
    const auto [place, is_new] = known.try_emplace({layer, no_decay}, groups.size());
    if (is_new) {
      groups.emplace_back();
      groups.back().weight_decay = no_decay ? 0.0 : weight_decay;
      groups.back().lr_scale = std::pow(layer_decay, static_cast<double>(last - layer));
    }
    groups[place->second].names.push_back(name);
    groups[place->second].params.push_back(parameter);
  }
  return groups;
}

}  // namespace saccade::train
