#include "saccade/base/suggest.h"

#include <gtest/gtest.h>

namespace saccade::test {
namespace {

using Names = std::vector<std::string>;

TEST(Suggest, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("depht", "depth"), 1U);  // a swap of neighbours
  EXPECT_EQ(edit_distance("ViT", "vit"), 0U);
  EXPECT_EQ(edit_distance("abc", "acb"), edit_distance("acb", "abc"));
}

TEST(Suggest, FindsTheNearestFirst) {
  const Names known{"doctor", "models", "profile", "model"};
  EXPECT_EQ(closest("modle", known), Names{"model"});
  EXPECT_EQ(closest("modls", known), Names{"models"});
  EXPECT_EQ(closest("modelx", known), (Names{"models", "model"}));
  EXPECT_EQ(closest("docotr", known), Names{"doctor"});
  EXPECT_EQ(closest("", known), Names{});
  EXPECT_EQ(closest("xyz", known), Names{});
  EXPECT_EQ(closest(std::string(100000, 'm'), known), Names{});
}

TEST(Suggest, TakesTheStartOfALongName) {
  const Names known{"swin_tiny_patch4_window7_224", "vit_base_patch16_224", "vit_base_patch16_384"};
  EXPECT_EQ(closest("vit_base", known), (Names{"vit_base_patch16_224", "vit_base_patch16_384"}));
  EXPECT_EQ(closest("vit_base_patch16_22", known).front(), "vit_base_patch16_224");
}

TEST(Suggest, SpeaksInSentences) {
  EXPECT_EQ(did_you_mean("vti", Names{"vit"}), "; did you mean \"vit\"?");
  EXPECT_EQ(did_you_mean("abcd", Names{"abce", "abcf"}), "; did you mean \"abce\" or \"abcf\"?");
  EXPECT_EQ(did_you_mean("abcd", Names{"abce", "abcf", "abcg", "abch"}),
            "; did you mean \"abce\", \"abcf\" or \"abcg\"?");
  EXPECT_EQ(did_you_mean("other", Names{"vit"}), "");
}

}  // namespace
}  // namespace saccade::test
