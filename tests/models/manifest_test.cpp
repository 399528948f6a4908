// Names and shapes of full-size models against the recorded state dicts (keys.tsv).

#include <gtest/gtest.h>

#include <algorithm>
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

using Names = std::vector<std::string>;

std::string row(const std::string& name, c10::IntArrayRef sizes) {
  std::ostringstream shape;
  for (const int64_t size : sizes) shape << (shape.str().empty() ? "" : "x") << size;
  return name + " " + shape.str();
}

/// "name shape" of every line of a keys.tsv (name, dtype, shape as 1x2x3, count).
Names recorded(const fs::path& file) {
  std::ifstream in(file);
  Names out;
  std::string name, dtype, shape, count;
  while (in >> name >> dtype >> shape >> count) out.push_back(name + " " + shape);
  return out;
}

/// Names of the model and of what is derived from its configuration, each in its own order.
struct Built {
  Names state, derived;
};
Built built(const Preset& preset) {
  const auto model = build(preset.system, preset.config, torch::kMeta);
  Built out;
  for (const auto& [name, tensor] : nn::named_state(*model))
    out.state.push_back(row(name, tensor.sizes()));
  for (const auto& derived : model->derived())
    out.derived.push_back(row(derived.name, derived.shape));
  return out;
}

void check_manifests_below(const fs::path& folder) {
  size_t checked = 0;
  for (const auto& c : find_cases(folder)) {
    if (!fs::exists(c / "keys.tsv")) continue;
    const auto* preset = find_preset(read_json(c / "case.json")["model"].get<std::string>());
    ASSERT_NE(preset, nullptr) << c;
    const auto ours = built(*preset);
    Names state, derived;  // a dialect's derived tensors lie between the model's own
    for (const auto& line : recorded(c / "keys.tsv")) {
      const bool is_derived = std::ranges::find(ours.derived, line) != ours.derived.end();
      (is_derived ? derived : state).push_back(line);
    }
    EXPECT_EQ(ours.state, state) << c;
    EXPECT_EQ(ours.derived, derived) << c;
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
