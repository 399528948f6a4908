#include "saccade/checkpoint/dialect.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade::checkpoint {
namespace {

/// Two stages of blocks; merging lies one stage later in theirs, as in timm's Swin.
Dialect staged() {
  Dialect d;
  d.name = "staged";
  d.evidence = {"stages.{i}.unit.{j}.w"};
  d.rules = {{{"stages.{i}.unit.{j}.{p}"}, "layers.{i}.blocks.{j}.{p}"},
             {{"layers.1.merge.{p}"}, "layers.0.merge.{p}"},
             {{"head.fc.{p}"}, "head.{p}"}};
  d.derived = {"layers.{i}.blocks.{j}.mask"};
  return d;
}

NamedTensors named(std::initializer_list<const char*> names) {
  NamedTensors out;
  for (const char* name : names) out.emplace_back(name, HostTensor(DType::F32, {1}));
  return out;
}

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors) out.push_back(name);
  return out;
}

std::string refusal(const NamedTensors& tensors) {
  try {
    (void)to_official(staged(), tensors, "file");
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  return "";
}

TEST(Dialect, StageAndBlockAreTwoWildcards) {
  const auto theirs = named({"stages.3.unit.12.w", "layers.1.merge.w", "head.fc.b"});
  ASSERT_TRUE(recognises(staged(), theirs));
  const auto official = to_official(staged(), theirs, "file");
  EXPECT_EQ(names(official),
            (std::vector<std::string>{"layers.3.blocks.12.w", "layers.0.merge.w", "head.b"}));
  EXPECT_EQ(names(from_official(staged(), official)), names(theirs));
}

TEST(Dialect, WithoutEvidenceNothingIsRecognised) {
  EXPECT_FALSE(recognises(Dialect{}, named({"a"})));
}

TEST(Dialect, AnOfficialNameAmongItsOwnIsAMixture) {
  const auto said = refusal(named({"stages.0.unit.0.w", "head.b"}));
  EXPECT_NE(said.find("head.b"), std::string::npos) << said;
  EXPECT_NE(said.find("mixes two conventions"), std::string::npos) << said;
  EXPECT_NE(refusal(named({"stages.0.unit.0.w", "layers.0.merge.w"})), "");
  EXPECT_EQ(refusal(named({"stages.0.unit.0.w", "layers.1.merge.w", "unknown"})), "");
}

TEST(Dialect, ANameOfItsOwnAmongOthersIsAStray) {
  EXPECT_EQ(stray_name(staged(), named({"norm.w", "head.fc.b"})), "head.fc.b");
  EXPECT_EQ(stray_name(staged(), named({"norm.w", "head.b"})), "");
  EXPECT_EQ(stray_name(staged(), named({"head.fc.b"})), "") << "nothing beside it";
}

TEST(Dialect, SaysWhichDerivedTensorsItStores) {
  EXPECT_TRUE(stores(staged(), "layers.0.blocks.11.mask"));
  EXPECT_FALSE(stores(staged(), "layers.0.blocks.11.index"));
}

}  // namespace
}  // namespace saccade::checkpoint
