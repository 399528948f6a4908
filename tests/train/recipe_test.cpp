#include "saccade/train/recipe.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"

namespace saccade::train {
namespace {

constexpr const char* kModel = "[model]\nsystem = \"vit\"\n";

std::string message(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    (void)parse_recipe(text, "r.toml", overrides);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Recipe, ReadsWhatItSays) {
  const auto r = parse_recipe(std::string(kModel) +
                                  "[optimizer]\nlr = 1\nbetas = [0.8, 0.9]\n"
                                  "[ema]\ndecay = 0.99\n[schedule]\nepochs = 7\n",
                              "r.toml");
  EXPECT_EQ(r.optimizer.lr, 1.0);
  EXPECT_EQ(r.optimizer.config.beta1, 0.8);
  EXPECT_EQ(r.optimizer.config.beta2, 0.9);
  EXPECT_TRUE(r.ema.enabled);
  EXPECT_EQ(r.schedule.epochs, 7);
  EXPECT_EQ(r.schedule.config.t_initial, 7.0);
}

TEST(Recipe, OverridesReplaceValues) {
  const auto r = parse_recipe(kModel, "r.toml",
                              {"optimizer.lr=0.5", "optimizer.name=sgd", "model.config.depth=3",
                               "train.channels_last=true"});
  EXPECT_EQ(r.optimizer.lr, 0.5);
  EXPECT_EQ(r.optimizer.config.name, "sgd");
  EXPECT_EQ(r.model.config.at("depth"), 3);
  EXPECT_TRUE(r.train.channels_last);
}

TEST(Recipe, UnknownKeysAreRefusedWithTheNearestName) {
  EXPECT_EQ(message(std::string(kModel) + "[optimizer]\nwieght_decay = 1\n"),
            "r.toml: unknown key 'optimizer.wieght_decay'; did you mean \"weight_decay\"?");
  EXPECT_NE(message(std::string(kModel) + "[optimiser]\n").find("\"optimizer\""),
            std::string::npos);
  EXPECT_NE(message(kModel, {"trian.batch_size=1"}).find("\"train\""), std::string::npos);
}

TEST(Recipe, WrongTypesAndValuesNameTheKey) {
  EXPECT_NE(message(std::string(kModel) + "[train]\nbatch_size = \"big\"\n").find("batch_size"),
            std::string::npos);
  EXPECT_NE(message(std::string(kModel) + "[train]\nbatch_size = 0\n").find("train.batch_size"),
            std::string::npos);
  EXPECT_NE(message(std::string(kModel) + "[train]\namp = \"fp8\"\n").find("fp8"),
            std::string::npos);
  EXPECT_NE(message(std::string(kModel) + "[optimizer]\nbetas = [0.9]\n").find("2 numbers"),
            std::string::npos);
  EXPECT_NE(message("[model]\n").find("model.system"), std::string::npos);
  EXPECT_NE(message(std::string(kModel) + "train = 3\n").find("train"), std::string::npos);
  EXPECT_NE(message(kModel, {"nonsense"}).find("table.key=value"), std::string::npos);
}

}  // namespace
}  // namespace saccade::train
