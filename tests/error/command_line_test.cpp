// Errors of the command line: exit code, and a message with file, reason and next step.

#include <gtest/gtest.h>

#include "tests/support/run.h"

namespace saccade::test {
namespace {

struct Case {
  std::string file;  ///< content of model.json
  int code;
  std::string message;
};

TEST(CommandLineErrors, OfModelConfigurations) {
  const TemporaryFolder folder;
  const std::vector<Case> cases{
      {"", 3, "at byte 0"},
      {"[1]", 3, "a configuration must be a JSON object"},
      {"{\"a\": 1, \"a\": 2}", 3, "at byte"},
      {"{}", 3, "is no model configuration"},
      {R"({"model_type": 3})", 3, "\"model_type\" must be a string"},
      {R"({"model_type": "vitt"})", 4,
       "models of type \"vitt\" are not supported; did you mean \"vit\"?"},
      {R"({"architecture": "vit_tiny_patch16_22"})", 4, "did you mean \"vit_tiny_patch16_224\""},
      {R"({"architecture": "vit_tiny_patch16_224", "model_args": 3})", 3, "must be an object"},
      {R"({"architecture": "vit_tiny_patch16_224", "model_args": {"reg_tokens": 4}})", 4,
       "reg_tokens"},
      {R"({"architecture": "vit_tiny_patch16_224", "model_args": {"depht": 4}})", 3,
       "did you mean \"depth\"?"},
      {R"({"system": "vit", "config": {"depth": -1}})", 3, "depth"},
      {R"({"system": "vit", "config": 3})", 3, ""},
      {R"({"system": "nothing", "config": {}})", 4, "models of type \"nothing\" are not supported"},
  };
  for (const auto& [text, code, message] : cases) {
    const auto file = folder.write("model.json", text);
    const auto result = saccade({"profile", file});
    EXPECT_EQ(result.code, code) << text << "\n" << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(result.err.starts_with("saccade: " + file.string() + ": ")) << result.err;
    EXPECT_NE(result.err.find(message), std::string::npos) << result.err;
  }
}

TEST(CommandLineErrors, OfNamesAndPaths) {
  const TemporaryFolder folder;
  const auto empty = saccade({"profile", folder.path()});
  EXPECT_EQ(empty.code, 3);
  EXPECT_TRUE(empty.err.starts_with("saccade: " + folder.path().string() + ": ")) << empty.err;
  EXPECT_NE(empty.err.find("without config.json"), std::string::npos) << empty.err;
  const auto broken = saccade({"profile", folder.write("weights.bin", "no checkpoint at all")});
  EXPECT_EQ(broken.code, 3);
  EXPECT_NE(broken.err.find("weights.bin: at byte 0: "), std::string::npos) << broken.err;
  const auto missing = saccade({"profile", "./nowhere.json"});
  EXPECT_EQ(missing.code, 3);
  EXPECT_NE(missing.err.find("./nowhere.json: cannot be opened"), std::string::npos) << missing.err;
  const auto name = saccade({"profile", "vit_tiny"});
  EXPECT_EQ(name.code, 2);
  EXPECT_NE(name.err.find("did you mean \"vit_tiny_patch16_224\""), std::string::npos) << name.err;
}

}  // namespace
}  // namespace saccade::test
