#include "saccade/models/catalogue.h"

#include <algorithm>
#include <cmath>

#include "saccade/base/error.h"
#include "saccade/base/suggest.h"
#include "saccade/models/deit.h"
#include "saccade/models/mixer.h"
#include "saccade/models/swin.h"
#include "saccade/models/swinv2.h"
#include "saccade/models/vit.h"

namespace saccade::models {

Pipeline timm_pipeline(int64_t img_size, double crop_pct, double mean, double std) {
  Pipeline pipeline;
  pipeline.resize_height = pipeline.resize_width =
      static_cast<int64_t>(std::floor(static_cast<double>(img_size) / crop_pct));
  pipeline.crop_height = pipeline.crop_width = img_size;
  if (std > 0.0) pipeline.mean.fill(mean), pipeline.std.fill(std);
  return pipeline;
}

std::span<const System> systems() {
  static const System table[] = {
      // sorted
      deit::system(), mixer::system(), swin::system(), swinv2::system(), vit::system(),
  };
  return table;
}

const System& find_system(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& system : systems()) {
    if (system.name == name) return system;
    names.push_back(system.name);
  }
  throw usage_error("unknown system \"{}\"{}", name, did_you_mean(name, names));
}

const Preset* find_preset(std::string_view name) {
  if (name.starts_with("timm/")) name.remove_prefix(5);
  for (const auto& system : systems())
    for (const auto* list : {&system.presets, &system.aliases})
      if (const auto it = std::ranges::find(*list, name, &Preset::name); it != list->end())
        return &*it;
  return nullptr;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& system : systems())
    for (const auto* list : {&system.presets, &system.aliases})
      for (const auto& preset : *list) names.push_back(preset.name);
  std::ranges::sort(names);
  return names;
}

}  // namespace saccade::models
