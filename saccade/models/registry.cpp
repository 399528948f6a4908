#include "saccade/models/registry.h"

#include "saccade/models/catalogue.h"
#include "saccade/models/deit.h"
#include "saccade/models/mixer.h"
#include "saccade/models/swin.h"
#include "saccade/models/swinv2.h"
#include "saccade/models/vit.h"

namespace saccade::models {
namespace {

struct Row {
  std::string_view system;
  std::shared_ptr<Model> (*make)(const Json& config);
};

constexpr Row kRows[] = {
    // sorted
    {"deit", deit::make},     {"mixer", mixer::make}, {"swin", swin::make},
    {"swinv2", swinv2::make}, {"vit", vit::make},
};

}  // namespace

std::shared_ptr<Model> build(std::string_view system, const Json& config, torch::Device device) {
  const auto complete = find_system(system).complete(config, "configuration");
  const nn::DeviceScope scope(device);
  for (const auto& row : kRows)
    if (row.system == system) return row.make(complete);
  throw unsupported_error("the system \"{}\" is listed but cannot be built", system);
}

}  // namespace saccade::models
