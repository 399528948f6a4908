#include <cstring>

#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/checkpoint/writer.h"
#include "saccade/image/encode.h"
#include "saccade/image/preprocess.h"
#include "saccade/models/describe.h"
#include "tests/cli/run.h"

namespace saccade::test {
namespace {

constexpr const char* kPipeline =
    R"({"input_size": [3, 20, 20], "crop_pct": 0.9, "mean": [0.5, 0.5, 0.5]})";

/// A gradient, so that sizes and crops show.
std::filesystem::path write_picture(const TemporaryFolder& folder, const char* name, int64_t height,
                                    int64_t width) {
  image::Image picture = image::blank(height, width, 3);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < 3; ++c)
        picture.row(y)[3 * x + c] = static_cast<uint8_t>(3 * x + 2 * y + 40 * c);
  const auto path = folder.path() / name;
  image::write_image(path, picture);
  return path;
}

NamedTensors read_tensors(const std::filesystem::path& file) {
  return checkpoint::Checkpoint::open(file).state_dict();
}

TEST(PreprocessVerb, WritesTheTensorAndItsPipeline) {
  const TemporaryFolder folder;
  const auto picture = write_picture(folder, "a.png", 40, 50);
  const auto pipeline = folder.write("timm.json", kPipeline);
  const auto output = folder.path() / "out.safetensors";
  const auto result = saccade(
      {"preprocess", picture.string(), "--pipeline", pipeline.string(), "-o", output.string()});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("50 x 40 -> 27 x 22 (bicubic) -> [3, 20, 20]"), std::string::npos)
      << result.out;
  const auto tensors = read_tensors(output);
  const HostTensor* images = find(tensors, "images");
  ASSERT_NE(images, nullptr);
  EXPECT_EQ(images->shape(), (Shape{1, 3, 20, 20}));
  const auto expected = image::read_and_preprocess(picture, read_pipeline(pipeline));
  EXPECT_EQ(0,
            std::memcmp(images->bytes().data(), expected.bytes().data(), expected.bytes().size()));
  const auto again = saccade({"preprocess", picture.string(), "-m", output.string(), "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  const Json report = parse_json(again.out, "preprocess --json");
  EXPECT_EQ(pipeline_from_json(report["pipeline"], "report"), read_pipeline(pipeline));
  EXPECT_EQ(report["pictures"][0]["resized"], Json({22, 27}));
}

TEST(PreprocessVerb, AFolderIsABatchInOrderOfNames) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "in");
  (void)write_picture(folder, "in/b.png", 30, 30);
  const auto first = write_picture(folder, "in/a.jpg", 60, 24);
  (void)folder.write("in/notes.txt", "no picture");
  const auto pipeline = folder.write("timm.json", kPipeline);
  const auto output = folder.path() / "out.safetensors";
  const auto result = saccade({"preprocess", (folder.path() / "in").string(), "--pipeline",
                               pipeline.string(), "-o", output.string()});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto tensors = read_tensors(output);
  const HostTensor* images = find(tensors, "images");
  ASSERT_NE(images, nullptr);
  EXPECT_EQ(images->shape(), (Shape{2, 3, 20, 20}));
  const auto expected = image::read_and_preprocess(first, read_pipeline(pipeline));
  EXPECT_EQ(0,
            std::memcmp(images->bytes().data(), expected.bytes().data(), expected.bytes().size()));
}

TEST(PreprocessVerb, PicturesOfOneFileHaveOneSize) {
  const TemporaryFolder folder;
  const auto pipeline = folder.write("own.json", R"({"resize": "none", "crop": "none"})");
  const auto result =
      saccade({"preprocess", write_picture(folder, "a.png", 8, 9).string(),
               write_picture(folder, "b.png", 9, 8).string(), "--pipeline", pipeline.string(), "-o",
               (folder.path() / "out.safetensors").string()});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("one size"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out.safetensors"));
}

TEST(PreprocessVerb, PipelinesOfModels) {
  const TemporaryFolder folder;
  const auto picture = write_picture(folder, "a.png", 40, 50).string();
  const auto shape_of = [&](const std::string& model) {
    const auto result = saccade({"preprocess", picture, "-m", model, "--json"});
    EXPECT_EQ(result.code, 0) << result.err;
    return result.code == 0 ? parse_json(result.out, "out")["pictures"][0]["shape"] : Json();
  };
  EXPECT_EQ(shape_of("vit_base_patch16_384"), Json({3, 384, 384}));
  (void)folder.write("preprocessor_config.json",
                     R"({"image_processor_type": "ViTImageProcessor", "size": 32})");
  EXPECT_EQ(shape_of(folder.path().string()), Json({3, 32, 32}));
  const TemporaryFolder timm;
  (void)timm.write("config.json",
                   R"({"architecture": "vit_tiny_patch16_224",
                       "pretrained_cfg": {"input_size": [3, 48, 48]}})");
  EXPECT_EQ(shape_of(timm.path().string()), Json({3, 48, 48}));
}

TEST(PreprocessVerb, ExitCodes) {
  const TemporaryFolder folder;
  const auto picture = write_picture(folder, "a.png", 40, 50).string();
  const auto pipeline = folder.write("timm.json", kPipeline).string();
  const auto detr =
      folder.write("detr.json", R"({"image_processor_type": "DetrImageProcessor"})").string();
  const auto broken = folder.write("broken.jpg", "\xff\xd8\xff").string();
  const auto code = [](const std::vector<std::string>& arguments) {
    return saccade(arguments).code;
  };
  EXPECT_EQ(code({"preprocess", picture, "-m", "vit_tiny_patch16_225"}), 2);
  EXPECT_EQ(code({"preprocess", picture, "-m", "vit_base_patch16_224", "--pipeline", pipeline}), 2);
  EXPECT_EQ(code({"preprocess", broken, "--pipeline", pipeline}), 3);
  EXPECT_EQ(code({"preprocess", picture, "--pipeline", broken}), 3);
  EXPECT_EQ(code({"preprocess", picture, "--pipeline", pipeline, "--max-pixels", "1999"}), 3);
  EXPECT_EQ(code({"preprocess", picture, "--pipeline", pipeline, "--max-pixels", "2000"}), 0);
  EXPECT_EQ(code({"preprocess", picture, "--pipeline", detr}), 4);
}

}  // namespace
}  // namespace saccade::test
