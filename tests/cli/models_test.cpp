// `saccade models` and `saccade profile` against the catalogue and counts done by hand.

#include <gtest/gtest.h>

#include <limits>

#include "saccade/base/file.h"
#include "saccade/base/json.h"
#include "saccade/models/catalogue.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

Json json_of(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const auto result = saccade(arguments);
  EXPECT_EQ(result.code, 0) << result.err;
  return parse_json(result.out, arguments.front());
}

TEST(Models, ListsTheWholeCatalogue) {
  const Json rows = json_of({"models"});
  size_t presets = 0;
  for (const auto& system : models::systems()) presets += system.presets.size();
  ASSERT_EQ(rows.size(), presets);
  for (const auto& row : rows) {
    EXPECT_NE(models::find_preset(row["name"].get<std::string>()), nullptr);
    EXPECT_GT(row["params"].get<int64_t>(), 0);
    EXPECT_GT(row["macs"].get<int64_t>(), row["params"].get<int64_t>());
    ASSERT_EQ(row["input"].size(), 3U);
    for (const auto& alias : row["aliases"])
      EXPECT_NE(models::find_preset(alias.get<std::string>()), nullptr) << alias;
  }
}

TEST(Models, HasThePublishedParameterCounts) {
  const std::vector<std::pair<std::string, int64_t>> published{
      {"vit_tiny_patch16_224", 5717416},
      {"vit_base_patch16_224", 86567656},
      {"vit_large_patch16_224", 304326632},
      {"deit_small_patch16_224", 22050664},
      {"deit_base_distilled_patch16_224", 87338192},
      {"mixer_s16_224", 18528264},
      {"mixer_b16_224", 59880472},
      {"mixer_b32_224", 60293428},
      {"mixer_l16_224", 208196168}};
  for (const auto& [name, params] : published)
    EXPECT_EQ(json_of({"models", name})["params"], params) << name;
}

TEST(Models, ShowsOneInFullByAnyOfItsNames) {
  const Json model = json_of({"models", "vit_base_patch16_224"});
  EXPECT_EQ(model["config"]["embed_dim"], 768);
  EXPECT_EQ(model["input"], Json({3, 224, 224}));
  EXPECT_TRUE(model.contains("pipeline"));
  const Json alias = json_of({"models", "google/vit-base-patch16-224"});
  EXPECT_EQ(alias["config"]["embed_dim"], 768);
}

TEST(Models, NamesWhatIsNear) {
  const auto model = saccade({"models", "vit_bse_patch16_224"});
  EXPECT_EQ(model.code, 2);
  EXPECT_NE(model.err.find("did you mean \"vit_base_patch16_224\""), std::string::npos)
      << model.err;
  const auto system = saccade({"models", "--system", "vitt"});
  EXPECT_EQ(system.code, 2);
  EXPECT_NE(system.err.find("did you mean \"vit\"?"), std::string::npos) << system.err;
}

TEST(Models, TheTableInTheDocumentsIsTheOneThatItPrints) {
  constexpr std::string_view kBegin = "<!-- saccade models --markdown -->\n", kEnd = "<!-- end -->";
  const auto page = std::filesystem::path(SACCADE_TEST_DATA) / "../../docs/zoo/README.md";
  const auto text = read_text(page);
  const auto begin = text.find(kBegin), end = text.find(kEnd);
  ASSERT_TRUE(begin != text.npos && end != text.npos && begin < end);
  const auto printed = saccade({"models", "--markdown"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_EQ(text.substr(begin + kBegin.size(), end - begin - kBegin.size()), printed.out)
      << "run tools/zoo_table.py";
}

TEST(Models, MarkdownIsForTheListOnly) {
  EXPECT_EQ(saccade({"models", "--markdown", "vit_tiny_patch16_224"}).code, 2);
  EXPECT_EQ(saccade({"models", "--markdown", "--json"}).code, 2);
  const auto one = saccade({"models", "--markdown", "--system", "deit"});
  EXPECT_EQ(one.code, 0);
  EXPECT_EQ(one.out.find("`vit_"), std::string::npos);
  EXPECT_NE(one.out.find("| `deit_base_patch16_224` | deit | 86,567,656 |"), std::string::npos)
      << one.out;
}

TEST(Profile, CountsTheMultiplyAddsOfViTBase) {
  const Json report = json_of({"profile", "vit_base_patch16_224", "--depth", "3"});
  const int64_t n = 197, c = 768;
  const int64_t attention = 4 * n * c * c + 2 * n * n * c;
  const int64_t block = attention + 2 * n * c * 4 * c;
  EXPECT_EQ(report["macs"], 196 * 768 * c + 12 * block + c * 1000);
  EXPECT_EQ(report["params"], 86567656);
  EXPECT_EQ(report["bytes"], 4 * 86567656LL);
  for (const auto& module : report["modules"]) {
    if (module["path"] != "blocks.7.attn") continue;
    EXPECT_EQ(module["macs"], attention);
    EXPECT_NE(module["formula"].get<std::string>().find("4hwC²"), std::string::npos);
    return;
  }
  FAIL() << "no blocks.7.attn";
}

TEST(Profile, CountsTheMultiplyAddsOfMixerBase) {
  const Json report = json_of({"profile", "mixer_b16_224", "--depth", "9"});
  const int64_t n = 196, c = 768, across = 384, along = 4 * c;
  const int64_t block = 2 * c * n * across + 2 * n * c * along;
  EXPECT_EQ(report["macs"], n * 768 * c + 12 * block + c * 1000);
  for (const auto& module : report["modules"]) {
    if (module["path"] != "blocks.7.mlp_tokens") continue;
    EXPECT_EQ(module["macs"], 2 * c * n * across);
    EXPECT_EQ(module["params"], 2 * n * across + n + across);
    return;
  }
  FAIL() << "no blocks.7.mlp_tokens";
}

TEST(Profile, ShowsTheClosedFormOfWindowAttention) {
  const Json report = json_of({"profile", "swin_tiny_patch4_window7_224"});
  const int64_t tokens = 56 * 56, c = 96, area = 49;
  for (const auto& module : report["modules"]) {
    if (module["path"] != "layers.0.blocks.1.attn") continue;
    EXPECT_EQ(module["macs"], 4 * tokens * c * c + 2 * area * tokens * c);
    EXPECT_EQ(module["formula"], "4hwC² + 2M²hwC, hw = 3136, M² = 49, C = 96");
    return;
  }
  FAIL() << "no layers.0.blocks.1.attn";
}

TEST(Profile, DepthLimitsTheRowsAndNothingElse) {
  const Json all = json_of({"profile", "deit_tiny_patch16_224", "--depth", "9"});
  const Json model = json_of({"profile", "deit_tiny_patch16_224", "--depth", "0"});
  EXPECT_EQ(model["modules"].size(), 1U);
  EXPECT_EQ(model["macs"], all["macs"]);
  int64_t blocks = 0;
  for (const auto& module : all["modules"]) {
    const auto path = module["path"].get<std::string>();
    blocks += path.starts_with("blocks.") && path.find('.', 7) == path.npos;
    EXPECT_GE(module["share"].get<double>(), 0.0);
    EXPECT_LE(module["share"].get<double>(), 1.0);
  }
  EXPECT_EQ(blocks, 12);
}

TEST(Profile, PutsEqualBlocksInOneRow) {
  const auto result = saccade({"profile", "vit_tiny_patch16_224"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.out.find("blocks.0-11"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("blocks.0.attn"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("blocks.1.attn"), std::string::npos) << result.out;
}

TEST(Profile, CountsBeyond63BitsStayAtTheLargestNumber) {
  const TemporaryFolder folder;
  const auto huge = folder.write(
      "huge.json", R"({"system": "mixer", "config": {"img_size": 65536, "patch_size": 64,
          "embed_dim": 65536, "num_blocks": 1024, "mlp_ratio": 64}})");
  const Json report = json_of({"profile", huge, "--depth", "1"});
  EXPECT_EQ(report["macs"], std::numeric_limits<int64_t>::max());
  EXPECT_GT(report["params"], int64_t{1} << 53);
}

constexpr const char* kHuggingFace =
    R"({"model_type": "vit", "architectures": ["ViTForImageClassification"], "hidden_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 144,
        "image_size": 32, "patch_size": 8, "num_channels": 3, "id2label": {"0": "a", "1": "b"}})";

/// 2 blocks of width 48 with an MLP of 144, 4x4 patches of 8x8, a head for `classes`.
constexpr int64_t params_of_small(int64_t classes) {
  const int64_t block = 2 * 96 + 48 * 144 + 144 + 48 * 48 + 48 + 2 * 48 * 144 + 144 + 48;
  return 48 + 17 * 48 + 3 * 64 * 48 + 48 + 2 * block + 96 + 48 * classes + classes;
}

TEST(Profile, ReadsConfigurationsOfEveryKind) {
  const TemporaryFolder folder;
  folder.write("hub/config.json", kHuggingFace);
  EXPECT_EQ(json_of({"profile", folder.path() / "hub"})["params"], params_of_small(2));
  const auto timm =
      folder.write("timm.json", R"({"architecture": "vit_tiny_patch16_224", "num_classes": 3,
                       "model_args": {"img_size": 32, "patch_size": 8, "embed_dim": 48,
                                      "depth": 2, "num_heads": 4, "mlp_ratio": 3.0}})");
  EXPECT_EQ(json_of({"profile", timm})["params"], params_of_small(3));
  const std::string arguments =
      R"({"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 4,
          "mlp_ratio": 3.0, "num_classes": 5})";
  const auto own = folder.write("own.json", R"({"system": "vit", "config": )" + arguments + "}");
  EXPECT_EQ(json_of({"profile", own})["params"], params_of_small(5));
}

}  // namespace
}  // namespace saccade::test
