#include "saccade/base/pipeline.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade {
namespace {

Json json(std::string_view text) { return parse_json(text, "test"); }

ErrorKind refusal(Pipeline (*read)(const Json&, std::string_view), std::string_view text) {
  try {
    (void)read(json(text), "test");
  } catch (const Error& error) {
    EXPECT_NE(std::string_view(error.what()).find("test"), std::string_view::npos) << error.what();
    return error.kind();
  }
  return ErrorKind::failed_check;
}

TEST(Pipeline, OwnFormSurvivesARoundTrip) {
  Pipeline p;
  p.resize = ResizeRule::fit;
  p.resize_height = 77;
  p.interpolation = Interpolation::hamming;
  p.crop = CropRule::centre_floor;
  p.rescale_in_double = true;
  p.rescale = 0.1;
  p.do_normalize = false;
  p.mean = {0.1, 0.2, 0.3};
  p.fill = {1, 2, 255};
  p.apply_exif_orientation = true;
  EXPECT_EQ(pipeline_from_json(parse_json(to_json(p).dump(), "p"), "p"), p);
  EXPECT_EQ(pipeline_from_json(Json::object(), "p"), Pipeline());
}

TEST(Pipeline, OwnFormIsStrict) {
  for (const char* text :
       {R"({"colour": 1})", R"({"crop": "left"})", R"({"std": [1, 0, 1]})", R"({"mean": [1, 2]})",
        R"({"fill": [0, 0, 256]})", R"({"crop_height": 0})", R"({"crop_width": 100000})",
        R"({"resize_width": 200})", R"({"rescale": 0.5})", R"({"do_rescale": 1})",
        R"({"resize": "exact", "resize_height": 65536, "resize_width": 65536})", "[]"})
    EXPECT_EQ(refusal(pipeline_from_json, text), ErrorKind::bad_input) << text;
}

TEST(Pipeline, TimmRulesOfSizes) {
  auto p = pipeline_from_timm(json(R"({"input_size": [3, 224, 224], "crop_pct": 0.9})"), "t");
  EXPECT_EQ(p.resize, ResizeRule::shorter_side);
  EXPECT_EQ(p.resize_height, 248);
  EXPECT_EQ(p.crop, CropRule::centre);
  EXPECT_FALSE(p.apply_exif_orientation);
  p = pipeline_from_timm(json("{}"), "t");
  EXPECT_EQ(p.resize_height, 256);
  EXPECT_EQ(p.interpolation, Interpolation::bicubic);
  p = pipeline_from_timm(json(R"({"input_size": [3, 64, 100], "crop_pct": 0.9})"), "t");
  EXPECT_EQ(p.resize, ResizeRule::cover);
  EXPECT_EQ(p.resize_height, 71);
  EXPECT_EQ(p.resize_width, 111);
  p = pipeline_from_timm(json(R"({"crop_mode": "squash", "crop_pct": 1})"), "t");
  EXPECT_EQ(p.resize, ResizeRule::exact);
  EXPECT_EQ(p.resize_width, 224);
  p = pipeline_from_timm(json(R"({"crop_mode": "border"})"), "t");
  EXPECT_EQ(p.resize, ResizeRule::fit);
  EXPECT_EQ(p.fill, (std::array<uint8_t, 3>{124, 116, 104}));
}

TEST(Pipeline, TimmHubFileAndMissingValues) {
  const auto p = pipeline_from_timm(
      json(R"({"architecture": "vit_tiny_patch16_224", "num_classes": 5, "pretrained_cfg":
          {"input_size": [3, 384, 384], "crop_pct": 1.0, "interpolation": "bilinear",
           "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "crop_mode": null, "tag": "x"}})"),
      "t");
  EXPECT_EQ(p.crop_height, 384);
  EXPECT_EQ(p.interpolation, Interpolation::bilinear);
  EXPECT_EQ(p.mean[0], 0.5);
}

TEST(Pipeline, TimmRefusals) {
  EXPECT_EQ(refusal(pipeline_from_timm, R"({"input_size": [1, 28, 28]})"),
            ErrorKind::not_supported);
  for (const char* text :
       {R"({"input_size": 224})", R"({"input_size": [3, 0, 2]})", R"({"crop_pct": -1})",
        R"({"crop_pct": 1e-9})", R"({"crop_mode": "left"})", R"({"interpolation": "random"})",
        R"({"std": [0, 1, 1]})", R"({"pretrained_cfg": 3})",
        R"({"crop_mode": "border", "mean": [-1, 0, 0]})"})
    EXPECT_EQ(refusal(pipeline_from_timm, text), ErrorKind::bad_input) << text;
}

TEST(Pipeline, HuggingFaceDefaultsOfViTAndDeiT) {
  const auto vit =
      pipeline_from_huggingface(json(R"({"image_processor_type": "ViTImageProcessor"})"), "h");
  EXPECT_EQ(vit.resize, ResizeRule::exact);
  EXPECT_EQ(vit.resize_height, 224);
  EXPECT_EQ(vit.interpolation, Interpolation::bilinear);
  EXPECT_EQ(vit.crop, CropRule::none);
  EXPECT_EQ(vit.mean[2], 0.5);
  EXPECT_TRUE(vit.rescale_in_double);
  EXPECT_TRUE(vit.apply_exif_orientation);
  const auto deit = pipeline_from_huggingface(
      json(R"({"feature_extractor_type": "DeiTFeatureExtractor", "size": 256, "resample": 1,
               "crop_size": [200, 210], "image_mean": 0.25})"),
      "h");
  EXPECT_EQ(deit.resize_width, 256);
  EXPECT_EQ(deit.interpolation, Interpolation::lanczos);
  EXPECT_EQ(deit.crop, CropRule::centre_floor);
  EXPECT_EQ(deit.crop_height, 200);
  EXPECT_EQ(deit.crop_width, 210);
  EXPECT_EQ(deit.mean, (std::array<double, 3>{0.25, 0.25, 0.25}));
}

TEST(Pipeline, HuggingFaceRefusals) {
  EXPECT_EQ(refusal(pipeline_from_huggingface, R"({"image_processor_type": "DetrImageProcessor"})"),
            ErrorKind::not_supported);
  for (const char* text :
       {R"({"size": {"shortest_edge": 224}})", R"({"size": "224"})", R"({"size": null})",
        R"({"resample": 6})", R"({"resample": "bicubic"})", R"({"do_resize": "yes"})",
        R"({"image_std": [0.5, -0.5, 0.5]})", R"({"image_std": [1e-320, 1, 1]})",
        R"({"rescale_factor": 0})", R"({"size": {"height": 2e9, "width": 3}})"})
    EXPECT_EQ(refusal(pipeline_from_huggingface, text), ErrorKind::bad_input) << text;
}

TEST(Pipeline, TheFormIsRecognised) {
  EXPECT_EQ(pipeline_from_any(json(R"({"crop_pct": 0.95})"), "x").resize_height, 235);
  EXPECT_EQ(pipeline_from_any(json(R"({"size": 32})"), "x").resize, ResizeRule::exact);
  EXPECT_EQ(pipeline_from_any(to_json(Pipeline()), "x"), Pipeline());
  EXPECT_EQ(refusal(pipeline_from_any, R"({"hidden_size": 32})"), ErrorKind::bad_input);
  EXPECT_EQ(refusal(pipeline_from_any, "[1]"), ErrorKind::bad_input);
}

TEST(Pipeline, OtherSizesKeepTheSharesOfThePublishedOnes) {
  const auto resize = [](double crop_pct, int64_t from, int64_t to) {
    const Json config = {{"input_size", {3, from, from}}, {"crop_pct", crop_pct}};
    return for_size(pipeline_from_timm(config, "x"), to, to).resize_height;
  };
  EXPECT_EQ(resize(0.9, 224, 384), 426);    // floor(384 / 0.9), not 384 * 248 / 224
  EXPECT_EQ(resize(0.875, 224, 288), 329);  // floor(288 / 0.875)
  EXPECT_EQ(resize(0.95, 224, 320), 336);
  EXPECT_EQ(resize(1.0, 384, 224), 224);
  const auto wide = for_size(pipeline_from_timm(Json::object(), "x"), 224, 448);
  EXPECT_EQ(wide.resize, ResizeRule::cover);
  EXPECT_EQ(wide.resize_width, 512);
  const auto same = pipeline_from_timm(Json::object(), "x");
  EXPECT_EQ(for_size(same, 224, 224), same);
}

}  // namespace
}  // namespace saccade
