// Intermediate results as outputs: they survive every pass, at any batch, with the eager numbers.

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/models/load.h"
#include "saccade/models/registry.h"
#include "tests/trace/agree.h"

namespace saccade::trace {
namespace {

struct Tapped {
  std::string system;
  Json config;
  std::vector<std::string> taps;
};

std::vector<Tapped> systems() {
  const Json plain = {{"img_size", 32}, {"patch_size", 8}, {"embed_dim", 24}, {"num_classes", 5}};
  const Json windows = {{"img_size", 32},   {"patch_size", 4},     {"embed_dim", 24},
                        {"depths", {2, 2}}, {"num_heads", {2, 3}}, {"window_size", 4},
                        {"num_classes", 5}};
  Json vit = plain, mixer = plain;
  vit.update({{"depth", 2}, {"num_heads", 3}});
  mixer["num_blocks"] = 2;
  return {{"vit",
           vit,
           {"patch_embed", "pos_embed", "blocks.0", "blocks.1.attn.attn_drop", "blocks.1.mlp.fc1",
            "norm"}},
          {"swin", windows, {"layers.0.blocks.1.attn.attn_drop", "layers.0.blocks.1", "norm"}},
          {"swinv2", windows, {"layers.0.blocks.1.attn.attn_drop", "layers.1.blocks.0", "norm"}},
          {"mixer", mixer, {"stem", "blocks.0", "blocks.1.mlp_tokens", "norm"}}};
}

std::shared_ptr<models::Model> made(const Tapped& tapped) {
  const auto model = models::build(tapped.system, tapped.config);
  models::fill_by_formula(*model);
  model->eval();
  return model;
}

const TraceOptions kPictures = {.inputs = {{"images", {3, 32, 32}}}, .outputs = {"logits"}};

TEST(Taps, SurviveCompilation) {
  for (const auto& tapped : systems()) {
    SCOPED_TRACE(tapped.system);
    auto options = kPictures;
    options.taps = tapped.taps;
    test::expect_plan_equals_eager(*made(tapped), options);
  }
}

TEST(Taps, OtherAttentionsStayFused) {
  const auto vit = systems()[0];
  auto options = kPictures;
  const auto attentions = [&] {
    const auto plan = compile::compile(trace(*made(vit), options));
    return std::ranges::count_if(plan.graph.values, [](const plan::Value& value) {
      return value.kind == plan::ValueKind::node && value.op == ops::Op::attention;
    });
  };
  EXPECT_EQ(attentions(), 2);
  options.taps = {"blocks.0", "blocks.1.attn"};
  EXPECT_EQ(attentions(), 2);
  options.taps = {"blocks.1.attn.attn_drop"};
  EXPECT_EQ(attentions(), 1);
}

TEST(Taps, AreListedWithTheirShapes) {
  const auto taps = list_taps(*made(systems()[0]), kPictures);
  const auto shape = [&](const std::string& name) {
    const auto it = std::ranges::find(taps, name, &Tap::name);
    return it == taps.end() ? Shape{} : it->shape;
  };
  EXPECT_EQ(shape("blocks.1"), (Shape{1, 17, 24}));
  EXPECT_EQ(shape("blocks.0.attn.attn_drop"), (Shape{1, 3, 17, 17}));
  EXPECT_EQ(shape("pos_embed"), (Shape{1, 17, 24}));
}

TEST(Taps, UnknownNamesSuggestTheNearest) {
  auto options = kPictures;
  options.taps = {"blocks.0.atn"};
  try {
    static_cast<void>(trace(*made(systems()[0]), options));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(e.what()).find("blocks.0.attn"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace saccade::trace
