// Names and shapes of full-size models against the recorded state dicts (keys.tsv).

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "saccade/base/json.h"
#include "saccade/models/catalogue.h"
#include "saccade/models/registry.h"
#include "saccade/models/verify.h"
#include "saccade/nn/host.h"

namespace saccade::models {
namespace {

namespace fs = std::filesystem;

/// "name shape" of every line of a keys.tsv (name, dtype, shape as 1x2x3, count).
std::vector<std::string> recorded(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> out;
  std::string name, dtype, shape, count;
  while (in >> name >> dtype >> shape >> count) out.push_back(name + " " + shape);
  return out;
}

std::vector<std::string> built(const Preset& preset) {
  std::vector<std::string> out;
  const auto model = build(preset.system, preset.config, torch::kMeta);
  for (const auto& [name, tensor] : nn::named_state(*model)) {
    std::ostringstream shape;
    for (const int64_t size : tensor.sizes()) shape << (shape.str().empty() ? "" : "x") << size;
    out.push_back(name + " " + shape.str());
  }
  return out;
}

void check_manifests_below(const fs::path& folder) {
  size_t checked = 0;
  for (const auto& c : find_cases(folder)) {
    if (!fs::exists(c / "keys.tsv")) continue;
    const auto* preset = find_preset(read_json(c / "case.json")["model"].get<std::string>());
    ASSERT_NE(preset, nullptr) << c;
    EXPECT_EQ(built(*preset), recorded(c / "keys.tsv")) << c;
    ++checked;
  }
  EXPECT_GT(checked, 0u);
}

std::vector<std::string> system_names() {
  std::vector<std::string> names;
  for (const auto& system : systems()) names.push_back(system.name);
  return names;
}

class Manifest : public ::testing::TestWithParam<std::string> {};

TEST_P(Manifest, NamesAndShapesAreTheReferences) {
  check_manifests_below(fs::path(SACCADE_TEST_DATA) / GetParam());
}

TEST_P(Manifest, NamesAndShapesOfEveryRecordedPresetAreTheReferences) {
  const char* shared = std::getenv("SACCADE_SHARED");
  if (!shared) GTEST_SKIP() << "SACCADE_SHARED is not set";
  check_manifests_below(fs::path(shared) / "golden" / GetParam());
}

INSTANTIATE_TEST_SUITE_P(Zoo, Manifest, ::testing::ValuesIn(system_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace saccade::models
