#include <gtest/gtest.h>

#include "saccade/checkpoint/common/contents.h"

namespace saccade::checkpoint {
namespace {

struct Named {
  std::string wrapper;
  std::vector<std::optional<std::string>> names;
};

/// Names of the paths; `children` are the keys of the root whose values are dictionaries.
Named choose(const std::vector<std::string>& paths, const std::vector<std::string>& children = {}) {
  std::vector<Entry> entries;
  for (const auto& path : paths) entries.emplace_back().path = path;
  std::vector<RootChild> roots;
  for (const auto& child : children) {
    RootChild root{child, paths.size(), 0};
    for (size_t i = 0; i < paths.size(); ++i)
      if (paths[i].starts_with(child + ".")) {
        root.begin = std::min(root.begin, i);
        root.end = i + 1;
      }
    if (root.end == 0) root.begin = 0;
    roots.push_back(root);
  }
  Named named{choose_names(entries, roots), {}};
  for (const auto& entry : entries) named.names.push_back(entry.name);
  return named;
}

using Names = std::vector<std::optional<std::string>>;

TEST(Naming, ABareStateDictKeepsItsPaths) {
  const auto named = choose({"model.weight", "head.bias"});
  EXPECT_EQ(named.wrapper, "");
  EXPECT_EQ(named.names, (Names{"model.weight", "head.bias"}));
}

TEST(Naming, TheFirstWrapperInTimmsOrderWins) {
  const auto named =
      choose({"model.w", "state_dict.w", "optimizer.m"}, {"model", "state_dict", "optimizer"});
  EXPECT_EQ(named.wrapper, "state_dict");
  EXPECT_EQ(named.names, (Names{std::nullopt, "w", std::nullopt}));
}

TEST(Naming, AWrapperWithoutTensorsIsNone) {
  const auto named = choose({"model.w"}, {"state_dict", "model"});
  EXPECT_EQ(named.wrapper, "model");
}

TEST(Naming, TrainingPrefixesAreStrippedPerKeyInTimmsOrder) {
  const auto named = choose({"module.a", "_orig_mod.b", "_orig_mod.module.c", "module._orig_mod.d",
                             "module.module.e", "x.module.f"});
  EXPECT_EQ(named.names, (Names{"a", "b", "c", "d", "module.e", "x.module.f"}));
}

TEST(Naming, JaxPrefixesNeedTheirEvidence) {
  const auto named = choose({"opt/target/embedding/kernel", "opt/state/step", "opt/target/cls"});
  EXPECT_EQ(named.names, (Names{"embedding/kernel", "opt/state/step", "cls"}));
  EXPECT_EQ(choose({"params/cls"}).names, (Names{"params/cls"}));
}

}  // namespace
}  // namespace saccade::checkpoint
