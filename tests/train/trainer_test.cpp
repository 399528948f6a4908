#include "saccade/train/trainer.h"

#include <atomic>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/checkpoint.h"
#include "tests/train/synthetic_cifar.h"

namespace saccade::train {
namespace {

constexpr const char* kRecipe = R"(
name = "tiny"
seed = 7
[model]
system = "vit"
[model.config]
img_size = 32
patch_size = 8
embed_dim = 16
depth = 2
num_heads = 2
mlp_ratio = 2.0
proj_drop_rate = 0.1
drop_path_rate = 0.2
[pipeline]
resize = "none"
crop = "none"
crop_height = 32
crop_width = 32
[augment]
crop = "pad"
[mixup]
mixup = 0.3
cutmix = 0.5
mode = "elem"
[optimizer]
lr = 3e-3
clip_grad = 1.0
[schedule]
epochs = 2
warmup_epochs = 1
[train]
batch_size = 8
accumulate = 2
amp = "fp32"
[ema]
decay = 0.9
[data]
threads = 2
)";

/// Five files of 10 pictures: 3 updates of 16 pictures an epoch.
class TrainerTest : public testing::Test {
 protected:
  Recipe recipe(const std::vector<std::string>& overrides = {}) const {
    auto r = parse_recipe(kRecipe, "tiny.toml", overrides);
    r.data.path = data_.folder().string();
    return r;
  }
  std::filesystem::path out(const std::string& name) const { return data_.folder() / name; }

  SyntheticCifar data_{10};
};

/// The names and bytes of all tensors.
std::vector<std::pair<std::string, std::string>> contents(const std::filesystem::path& file) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, tensor] : checkpoint::Checkpoint::open(file).state_dict()) {
    const auto bytes = tensor.bytes();
    out.emplace_back(name, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  return out;
}

void expect_equal_runs(const std::filesystem::path& a, const std::filesystem::path& b) {
  EXPECT_EQ(contents(a / "last.safetensors"), contents(b / "last.safetensors"));
  EXPECT_EQ(read_text(a / "model.safetensors"), read_text(b / "model.safetensors"));
}

TEST_F(TrainerTest, WritesTheRunFolder) {
  const auto result = train(recipe(), {.out = out("run")});
  EXPECT_EQ(result.epochs, 2);
  EXPECT_EQ(result.updates, 6);
  for (const char* file :
       {"recipe.toml", "recipe.json", "environment.json", "log.txt", "metrics.csv", "report.html",
        "last.safetensors", "best.safetensors", "model.safetensors"})
    EXPECT_TRUE(std::filesystem::exists(out("run") / file)) << file;
  const auto model = checkpoint::Checkpoint::open(out("run") / "model.safetensors");
  for (const char* key : {"saccade.config", "saccade.pipeline", "saccade.labels"})
    EXPECT_TRUE(model.metadata().contains(key)) << key;
  EXPECT_THROW(train(recipe(), {.out = out("run")}), Error);
}

TEST_F(TrainerTest, LearnsWhatCanBeLearnt) {
  const SyntheticCifar data(60);
  // No flips: the class is the quadrant.
  auto learnable = recipe({"schedule.epochs=20", "eval.every=20", "mixup.prob=0.0",
                           "augment.hflip=0.0", "model.config.drop_path_rate=0.0",
                           "model.config.proj_drop_rate=0.0", "train.accumulate=1"});
  learnable.data.path = data.folder().string();
  EXPECT_GT(train(learnable, {.out = out("run")}).top1, 0.8);
}

TEST_F(TrainerTest, ResumesToTheSameBitsFromEveryStop) {
  train(recipe(), {.out = out("whole")});
  for (int stop_at = 1; stop_at < 6; ++stop_at) {
    const auto folder = out("stopped" + std::to_string(stop_at));
    int updates = 0;
    try {
      train(recipe(), {.out = folder, .stop_requested = [&] { return ++updates == stop_at; }});
      FAIL() << "was not stopped";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    }
    train(recipe(), {.out = folder, .resume = true});
    expect_equal_runs(out("whole"), folder);
  }
}

TEST_F(TrainerTest, ResumesToTheSameBitsAfterACrash) {
  struct Crash {};
  train(recipe(), {.out = out("whole")});
  const auto often = recipe({"train.checkpoint_every=1"});
  for (int crash_at = 2; crash_at <= 6; ++crash_at) {
    const auto folder = out("crashed" + std::to_string(crash_at));
    int updates = 0;
    const auto crash = [&]() -> bool {
      if (++updates == crash_at) throw Crash();
      return false;
    };
    EXPECT_THROW(train(often, {.out = folder, .stop_requested = crash}), Crash);
    train(often, {.out = folder, .resume = true});
    expect_equal_runs(out("whole"), folder);
  }
}

TEST_F(TrainerTest, TheNumberOfLoaderThreadsDoesNotMatter) {
  train(recipe(), {.out = out("two")});
  train(recipe({"data.threads=1"}), {.out = out("one")});
  expect_equal_runs(out("two"), out("one"));
}

TEST_F(TrainerTest, RefusesToResumeAnotherRecipe) {
  train(recipe(), {.out = out("run")});
  try {
    train(recipe({"optimizer.lr=1.0"}), {.out = out("run"), .resume = true});
    FAIL() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("another recipe"), std::string::npos);
  }
}

TEST_F(TrainerTest, EvaluationThatCannotWorkIsFoundBeforeTraining) {
  int updates = 0;
  const auto count = [&] { return ++updates < 0; };
  EXPECT_THROW(train(recipe({"pipeline.crop=\"centre\"", "pipeline.crop_height=24"}),
                     {.out = out("run"), .stop_requested = count}),
               std::exception);
  EXPECT_EQ(updates, 0);
}

TEST_F(TrainerTest, DryRunWritesNothing) {
  train(recipe(), {.out = out("run"), .dry_run = true});
  EXPECT_FALSE(std::filesystem::exists(out("run")));
}

TEST_F(TrainerTest, StopsOnALossThatIsNotFinite) {
  try {
    train(recipe({"optimizer.lr=1e30", "optimizer.clip_grad=0.0", "schedule.warmup_epochs=0",
                  "schedule.epochs=5"}),
          {.out = out("run")});
    FAIL() << "was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed_check);
    EXPECT_NE(std::string(error.what()).find("optimizer.lr"), std::string::npos);
  }
}

TEST_F(TrainerTest, EndsWhenTheTimeIsUp) {
  const auto result =
      train(recipe({"train.max_minutes=1e-9", "schedule.epochs=50"}), {.out = out("run")});
  EXPECT_EQ(result.updates, 1);
  EXPECT_TRUE(std::filesystem::exists(result.model));
}

}  // namespace
}  // namespace saccade::train
