// Which dictionary of a checkpoint holds the model, and what its tensors are called there.

#include <algorithm>
#include <array>

#include "saccade/checkpoint/common/contents.h"

namespace saccade::checkpoint {
namespace {

/// In this order, as releases and training scripts wrap their models (timm, DINO, BasicSR, mmcv,
/// Lightning, SlowFast, DETR).
constexpr auto kWrappers =
    std::to_array<std::string_view>({"state_dict_ema", "model_ema", "params_ema", "state_dict",
                                     "model_state", "model", "params", "teacher", "module"});
/// Before the names of JAX's ViT; the key proves that the prefix is one.
constexpr auto kJaxPrefixes = std::to_array<std::string_view>({"opt/target/", "params/"});
constexpr std::string_view kJaxEvidence = "embedding/kernel";

/// timm's rule, per key (timm/models/_helpers.py, clean_state_dict): torch.compile and
/// DataParallel.
std::string_view strip_training_prefixes(std::string_view name) {
  for (const std::string_view prefix : {"_orig_mod.", "module.", "_orig_mod."})
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  return name;
}

std::string_view find_jax_prefix(const std::vector<Entry>& entries) {
  for (const auto prefix : kJaxPrefixes)
    for (const auto& entry : entries)
      if (entry.path.starts_with(prefix) && entry.path.substr(prefix.size()) == kJaxEvidence)
        return prefix;
  return {};
}

}  // namespace

std::string choose_names(std::vector<Entry>& entries, const std::vector<RootChild>& children) {
  for (const auto wrapper : kWrappers) {
    const auto child = std::ranges::find_if(children, [&](const RootChild& candidate) {
      return candidate.key == wrapper && candidate.begin < candidate.end;
    });
    if (child == children.end()) continue;
    for (size_t i = child->begin; i < child->end; ++i)
      entries[i].name =
          strip_training_prefixes(std::string_view(entries[i].path).substr(wrapper.size() + 1));
    return std::string(wrapper);
  }
  const auto jax = find_jax_prefix(entries);
  for (auto& entry : entries) {
    const std::string_view path = entry.path;
    const auto name = path.starts_with(jax) ? path.substr(jax.size()) : path;
    entry.name = strip_training_prefixes(name);
  }
  return {};
}

}  // namespace saccade::checkpoint
