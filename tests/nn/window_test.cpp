// Windows against tensors recorded from timm 1.0.31 (tests/golden/windows): a map of 9x13 cut into
// windows of 4x5 shifted by 2x2, rolled and then padded.

#include "saccade/nn/window.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "saccade/base/error.h"
#include "saccade/checkpoint/checkpoint.h"
#include "saccade/nn/attention.h"
#include "saccade/nn/host.h"
#include "saccade/nn/patch_merging.h"

namespace saccade::nn {
namespace {

class Windows : public ::testing::Test {
 protected:
  Windows()
      : parts_(checkpoint::Checkpoint::open(std::filesystem::path(SACCADE_TEST_DATA) / "windows" /
                                            "parts.safetensors")
                   .state_dict()) {}
  [[nodiscard]] Tensor part(const std::string& name) const {
    const auto* found = find(parts_, name);
    if (!found) throw std::runtime_error("no tensor " + name);
    return to_torch(*found);
  }
  const WindowCut cut{.window = {4, 5}, .shift = {2, 2}, .roll_first = true};

 private:
  NamedTensors parts_;
};

bool close(const Tensor& a, const Tensor& b, double atol = 2e-6) {
  return a.sizes() == b.sizes() && torch::allclose(a, b, 1e-5, atol);
}

TEST_F(Windows, AreCutAsTheReferenceCutsThem) {
  EXPECT_TRUE(torch::equal(to_windows(part("map"), cut), part("windows")));
}

TEST_F(Windows, MaskSeparatesWhatTheRollBroughtTogether) {
  EXPECT_EQ(padded_size({9, 13}, cut.window), (Size{12, 15}));
  EXPECT_TRUE(torch::equal(shift_mask({12, 15}, cut), part("mask")));
  auto doubled = cut;
  doubled.mask_value = -200;
  EXPECT_TRUE(torch::equal(shift_mask({12, 15}, doubled), 2 * part("mask")));
}

TEST_F(Windows, MaskOfAShiftAlongOneSideOnlySeparatesThatSide) {
  const auto mask = shift_mask({4, 4}, {.window = {4, 2}, .shift = {0, 1}});
  ASSERT_EQ(shape_of(mask), (Shape{2, 8, 8}));
  EXPECT_EQ(mask[0].abs().sum().item<float>(), 0);  // columns 1 and 2, neighbours before
  EXPECT_EQ(mask[1][0][1].item<float>(), -100);     // columns 3 and 0
  EXPECT_EQ(mask[1][0][2].item<float>(), 0);        // one column, next row
  EXPECT_FALSE(shift_mask({4, 4}, {.window = {4, 4}}).defined());
}

TEST_F(Windows, ComeBackToTheMap) {
  const auto map = part("map");
  for (const bool roll_first : {false, true})
    for (const Size shift : {Size{0, 0}, Size{2, 2}, Size{0, 1}, Size{3, 0}})
      for (const Size window : {Size{4, 5}, Size{3, 13}, Size{1, 1}, Size{9, 2}}) {
        const WindowCut way{.window = window, .shift = shift, .roll_first = roll_first};
        EXPECT_TRUE(torch::equal(from_windows(to_windows(map, way), way, {9, 13}), map))
            << roll_first << shift[0] << shift[1] << " " << window[0] << "x" << window[1];
      }
}

TEST_F(Windows, PaddingBeforeTheRollBringsZerosToTheTopLeft) {
  const auto map = torch::ones({1, 3, 3, 1});
  const WindowCut pad_first{.window = {4, 4}, .shift = {3, 3}};
  EXPECT_EQ(to_windows(map, pad_first)[0][0].item<float>(), 0);
  auto roll_first = pad_first;
  roll_first.roll_first = true;
  EXPECT_EQ(to_windows(map, roll_first)[0][0].item<float>(), 1);
}

TEST_F(Windows, RelativePositionsIndexTheTable) {
  const auto index = relative_position_index({4, 5});
  EXPECT_TRUE(torch::equal(index, part("index")));
  EXPECT_TRUE(torch::equal(gather_bias(part("table"), index), part("bias")));
}

TEST_F(Windows, CoordinatesAreLogSpaced) {
  EXPECT_TRUE(close(log_coordinates({4, 3}, 6), part("coords")));
  EXPECT_TRUE(close(log_coordinates({4, 3}, 0), part("coords_own")));
  EXPECT_EQ(log_coordinates({1, 1}, 0).abs().sum().item<float>(), 0) << "no 0 / 0";
}

TEST_F(Windows, TablesAreResizedByEitherRule) {
  const auto table = part("resize.table");
  EXPECT_TRUE(close(resize_bias_bicubic(table, {6, 6}), part("resize.bicubic")));
  EXPECT_TRUE(close(resize_bias_geometric(table, {6, 5}), part("resize.geometric"), 1e-5));
  EXPECT_THROW((void)resize_bias_bicubic(torch::zeros({48, 3}), {6, 6}), Error);
}

TEST_F(Windows, MergingTakesTheReferencesOrderAndPadsOddSides) {
  const auto merging = std::make_shared<PatchMerging>(8, true, 1e-5);
  {
    const torch::NoGradGuard no_grad;
    for (auto& item : merging->named_parameters())
      item.value().copy_(part("merging." + item.key()));
  }
  EXPECT_TRUE(close(merging->forward(part("map")), part("merged").flatten(1, 2), 1e-5));
}

/// Attention of a batch of two pictures with nine windows each.
class Attend : public Windows {
 protected:
  Tensor run(bool observe) {
    const torch::NoGradGuard no_grad;
    const Child<Dropout> drop(&owner_, "drop", 0.0);
    drop->eval();
    const auto heads = split_heads(part("qkv"), 2);
    const Scores scores{.scale = 0.5, .bias = part("bias"), .mask = part("mask")};
    if (!observe) return attend(heads, scores, drop);
    const ObserverScope scope([&](const std::string&, const Tensor& out) { weights_ = out; });
    return attend(heads, scores, drop);
  }
  Module owner_;
  Tensor weights_;
};

TEST_F(Attend, WithBiasAndMaskGivesTheReferencesResult) {
  EXPECT_TRUE(close(run(true), part("attended"), 1e-5));
  ASSERT_EQ(shape_of(weights_), (Shape{18, 2, 20, 20}));
  EXPECT_TRUE(close(weights_.sum(-1), torch::ones({18, 2, 20})));
}

TEST_F(Attend, FusedGivesTheSame) { EXPECT_TRUE(close(run(false), part("attended"), 1e-5)); }

TEST(SizedConstant, IsMadeOncePerSizeAndUsableInTraining) {
  SizedConstant constant;
  int made = 0;
  const auto make = [&](Size size) {
    ++made;
    return torch::ones({size[0], size[1]});
  };
  {
    const torch::InferenceMode inference;
    (void)constant.at({2, 3}, torch::kCPU, make);
  }
  const auto x = torch::ones({2, 3}, torch::requires_grad());
  (x * constant.at({2, 3}, torch::kCPU, make)).sum().backward();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(constant.at({1, 3}, torch::kCPU, make).size(0), 1);
  EXPECT_EQ(made, 2);
}

}  // namespace
}  // namespace saccade::nn
