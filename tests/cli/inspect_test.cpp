#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "saccade/checkpoint/writer.h"
#include "tests/support/run.h"

namespace saccade {
namespace {

class Inspect : public testing::Test {
 protected:
  [[nodiscard]] std::string write(const char* name) const {
    const std::vector<float> values(6, 0.5f);
    const auto tensor = HostTensor::of<float>({2, 3}, std::span<const float>(values));
    const auto path = folder_.path() / name;
    if (path.extension() == ".pth")
      checkpoint::write_pth(path, {{"w", tensor}, {"tied", tensor}}, "model");
    else
      checkpoint::write_safetensors(path, {{"w", tensor}}, {{"note", "a\x1b[31mb"}});
    return path.string();
  }
  test::TemporaryFolder folder_;
};

TEST_F(Inspect, JsonHoldsTheContract) {
  const auto run = test::saccade({"inspect", write("m.safetensors"), "--hash", "--json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const auto json = parse_json(run.out, "stdout");
  EXPECT_EQ(json.at("format"), "safetensors");
  EXPECT_EQ(json.at("metadata").at("note"), "a\x1b[31mb");
  const auto& tensor = json.at("tensors").at(0);
  EXPECT_EQ(tensor.at("path"), "w");
  EXPECT_EQ(tensor.at("name"), "w");
  EXPECT_EQ(tensor.at("dtype"), "F32");
  EXPECT_EQ(tensor.at("shape"), Json({2, 3}));
  EXPECT_EQ(tensor.at("sha256"),
            "9ba54d57656313e94dc021212d7e07524183ae6401113a0eac079e75d7301d33");
}

TEST_F(Inspect, TextFitsATerminalAndCommandsNothing) {
  const auto run = test::saccade({"inspect", write("m.safetensors")});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out.find('\x1b'), std::string::npos);
  for (const char* part : {"safetensors", "w ", "F32", "[2, 3]", "1 tensors", "note"})
    EXPECT_NE(run.out.find(part), std::string::npos) << run.out;
}

TEST_F(Inspect, WrapperAndSharedStorageAreShown) {
  const auto file = write("m.pth");
  const auto json = parse_json(test::saccade({"inspect", file, "--json"}).out, "stdout");
  EXPECT_EQ(json.at("wrapper"), "model");
  EXPECT_EQ(json.at("tensors").at(0).at("path"), "model.w");
  EXPECT_EQ(json.at("shared_storage"), Json::parse(R"([["model.w", "model.tied"]])"));
  const auto text = test::saccade({"inspect", file}).out;
  EXPECT_NE(text.find("named as in \"model\""), std::string::npos) << text;
}

TEST_F(Inspect, ConfigurationsAreJudged) {
  const auto config = [&](const char* text) {
    return test::saccade({"inspect", folder_.write("config.json", text).string()});
  };
  EXPECT_EQ(config(R"({"model_type": "vit", "hidden_size": 64, "num_attention_heads": 4,
                       "intermediate_size": 128})")
                .code,
            0);
  const auto bad = config(R"({"model_type": "vit", "hidden_size": -64})");
  EXPECT_EQ(bad.code, 3);
  EXPECT_NE(bad.err.find("hidden_size"), std::string::npos) << bad.err;
  EXPECT_EQ(config(R"({"anything": 1})").code, 3);
  EXPECT_EQ(config(R"({"image_processor_type": "ViTImageProcessor", "size": 0})").code, 3);
}

TEST_F(Inspect, BadFilesAreExitCode3AndMissingOnesToo) {
  EXPECT_EQ(test::saccade({"inspect", (folder_.path() / "none.pth").string()}).code, 3);
  EXPECT_EQ(test::saccade({"inspect", folder_.path().string()}).code, 3);
  EXPECT_EQ(test::saccade({"inspect", folder_.write("a.jpg", "no picture").string()}).code, 3);
  EXPECT_EQ(test::saccade({"inspect", std::string(5000, 'x')}).code, 3);
  EXPECT_EQ(test::saccade({"inspect"}).code, 2);
}

}  // namespace
}  // namespace saccade
