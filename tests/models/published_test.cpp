// Published counts: parameters exactly, multiply-adds ("FLOPs" of the papers) within 1 %.
// Sources: MODELHUB.md of microsoft/Swin-Transformer; the papers' tables; timm's parameter counts.

#include <gtest/gtest.h>

#include "saccade/models/catalogue.h"

namespace saccade::models {
namespace {

struct Published {
  const char* name;
  int64_t params;  ///< 0: not published exactly
  double gmacs;    ///< rounded to the last digit given; 0: not published
};

class PublishedCounts : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedCounts, AreOurs) {
  const auto& published = GetParam();
  const auto* preset = find_preset(published.name);
  ASSERT_NE(preset, nullptr);
  const auto whole = find_system(preset->system).costs(preset->config).front();
  if (published.params != 0) {
    EXPECT_EQ(whole.params, published.params);
  }
  if (published.gmacs == 0.0) return;
  const double gmacs = static_cast<double>(whole.macs) / 1e9;
  EXPECT_NEAR(gmacs, published.gmacs, 0.01 * published.gmacs);
}

INSTANTIATE_TEST_SUITE_P(
    Swin, PublishedCounts,
    ::testing::Values(Published{"swin_tiny_patch4_window7_224", 28'288'354, 4.5},
                      Published{"swin_small_patch4_window7_224", 49'606'258, 8.7},
                      Published{"swin_base_patch4_window7_224", 87'768'224, 15.4},
                      Published{"swin_base_patch4_window12_384", 87'903'584, 47.1},
                      Published{"swin_large_patch4_window7_224", 196'532'476, 34.5},
                      Published{"swin_large_patch4_window12_384", 0, 103.9},
                      Published{"swin_tiny_c24_patch4_window8_256", 0, 5.9},
                      Published{"swinv2_tiny_patch4_window8_256", 28'347'154, 5.9},
                      Published{"swinv2_tiny_patch4_window16_256", 28'347'154, 6.6},
                      Published{"swinv2_small_patch4_window8_256", 49'728'418, 11.5},
                      Published{"swinv2_small_patch4_window16_256", 49'728'418, 12.6},
                      Published{"swinv2_base_patch4_window8_256", 0, 20.3},
                      Published{"swinv2_base_patch4_window16_256", 0, 21.8},
                      Published{"swinv2_base_patch4_window12_192", 109'280'841, 0},
                      Published{"swinv2_base_patch4_window12to16_192to256", 0, 21.8},
                      Published{"swinv2_base_patch4_window12to24_192to384", 0, 54.7},
                      Published{"swinv2_large_patch4_window12to16_192to256", 0, 47.5},
                      Published{"swinv2_large_patch4_window12to24_192to384", 0, 115.4}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace saccade::models
