// Plans in the lean program: compile a raw one, then inspect, classify and bench what came out.

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "saccade/base/sha256.h"
#include "saccade/plan/crc32c.h"
#include "saccade/plan/layout.h"
#include "saccade/runtime/session.h"
#include "tests/plan/small_plan.h"
#include "tests/support/pictures.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

class Plans : public ::testing::Test {
 protected:
  Plans() { write(); }
  void write() const { plan::write(raw_, raw_path()); }
  [[nodiscard]] std::string raw_path() const { return (folder_.path() / "raw.plan").string(); }
  [[nodiscard]] std::string path() const { return (folder_.path() / "small.plan").string(); }
  [[nodiscard]] RunResult compile(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"compile", raw_path(), "-o", path()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return saccade(arguments);
  }

  plan::Plan raw_ = small_raw_plan();
  TemporaryFolder folder_;
};

TEST_F(Plans, CompileClassifyInspectBench) {
  const auto compiled = compile({"--json"});
  ASSERT_EQ(compiled.code, 0) << compiled.err;
  const auto report = parse_json(compiled.out, "stdout");
  EXPECT_LT(report["difference"].get<double>(), 1e-5);

  const auto picture = folder_.write("picture.png", small_png()).string();
  const auto raw = saccade({"classify", "-m", raw_path(), picture, "--json"});
  const auto fast = saccade({"classify", "-m", path(), picture, "--json"});
  ASSERT_EQ(fast.code, 0) << fast.err;
  const auto a = parse_json(raw.out, "raw")[0]["top"], b = parse_json(fast.out, "fast")[0]["top"];
  ASSERT_EQ(b.size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(a[i]["label"], b[i]["label"]);
    EXPECT_NEAR(a[i]["score"].get<double>(), b[i]["score"].get<double>(), 1e-5);
  }

  const auto inspected = saccade({"inspect", path(), "--json", "--hash"});
  ASSERT_EQ(inspected.code, 0) << inspected.err;
  const auto plan = parse_json(inspected.out, "stdout");
  EXPECT_EQ(plan["format"], "plan");
  EXPECT_EQ(plan["metadata"]["inputs"]["images"], "F32[N, 3, 8, 8]");
  EXPECT_EQ(plan["metadata"]["operators"]["attention"], 2);

  const auto bench = saccade({"bench", path(), "--seconds", "0.05", "--batch", "2", "--json"});
  ASSERT_EQ(bench.code, 0) << bench.err;
  const auto measured = parse_json(bench.out, "stdout");
  EXPECT_GT(measured["ms"]["min"].get<double>(), 0.0);
  EXPECT_LE(measured["ms"]["min"].get<double>(), measured["ms"]["p99"].get<double>());
  EXPECT_EQ(measured["precision"], "fp32");
}

TEST_F(Plans, InspectListsTensorsWithTheirHashes) {
  ASSERT_EQ(compile().code, 0);
  const auto listed = saccade({"inspect", raw_path(), "--json", "--hash"});
  ASSERT_EQ(listed.code, 0) << listed.err;
  const auto json = parse_json(listed.out, "stdout");
  const auto weight = std::ranges::find_if(
      json["tensors"], [](const Json& row) { return row["name"] == "head.weight"; });
  ASSERT_NE(weight, json["tensors"].end());
  EXPECT_EQ((*weight)["dtype"], "F32");
  EXPECT_EQ((*weight)["layout"], "row-major");
  EXPECT_EQ((*weight)["shape"], Json({5, 8}));
  const auto bytes = random_tensor({5, 8}, "head.weight");
  EXPECT_EQ((*weight)["sha256"], sha256(bytes.bytes()));
  EXPECT_EQ(json["tensors"].back()["path"], "recordings.0.outputs.logits");
  EXPECT_EQ(json["metadata"]["sha256"], plan::check_digest(raw_path()));
  EXPECT_EQ(json["metadata"]["label_count"], 5);

  const auto text = saccade({"inspect", path()});
  ASSERT_EQ(text.code, 0) << text.err;
  for (const char* part : {"head.weight", "panels", "[5, 8]", "precision", "fp32"})
    EXPECT_NE(text.out.find(part), std::string::npos) << text.out;
}

TEST_F(Plans, TheDigestIsCheckedWhereItIsAskedFor) {
  auto bytes = plan::serialize(raw_);  // another digest, with every sum right
  plan::Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.digest[5] ^= std::byte{1};
  const std::span file(std::as_const(bytes));
  const auto table = file.subspan(sizeof header, plan::kSections * plan::kRowSize);
  const auto head = std::as_bytes(std::span(&header, 1));
  header.sum = plan::crc32c(table, plan::crc32c(head.first(sizeof header - sizeof header.sum)));
  std::memcpy(bytes.data(), &header, sizeof header);
  const auto other = folder_.write(
      "other.plan", std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  EXPECT_EQ(saccade({"inspect", other.string()}).code, 0);
  const auto result = saccade({"inspect", other.string(), "--hash"});
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("SHA-256"), std::string::npos) << result.err;
}

TEST_F(Plans, ProfileCountsByModule) {
  ASSERT_EQ(compile().code, 0);
  for (const auto& file : {raw_path(), path()}) {
    const auto result = saccade({"profile", file, "--json", "--depth", "4"});
    ASSERT_EQ(result.code, 0) << result.err;
    const auto json = parse_json(result.out, "stdout");
    const auto module = [&](std::string_view path) {
      const auto it = std::ranges::find_if(json["modules"],
                                           [&](const Json& row) { return row["path"] == path; });
      return it == json["modules"].end() ? Json::object() : *it;
    };
    EXPECT_EQ(json["name"], "small");
    EXPECT_EQ(json["input"], Json({3, 8, 8}));
    EXPECT_EQ(module("head")["params"], 5 * 8 + 5);
    EXPECT_EQ(module("head")["macs"], 5 * 8);
    EXPECT_EQ(module("blocks.1.mlp.fc1")["macs"], 5 * 8 * 16);
    // Scores and weighted values of 5 tokens, 8 channels.
    EXPECT_EQ(module("blocks.0.attn")["macs"], 2 * 5 * 5 * 8 + 5 * 8 * 32);
    EXPECT_EQ(module("")["params"], json["params"]);
    EXPECT_EQ(module("patch_embed")["macs"], 4 * 8 * 48);
    EXPECT_GE(json["bytes"], 4 * json["params"].get<int64_t>());
  }
  const auto text = saccade({"profile", path(), "--depth", "1"});
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("blocks.0-1"), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find("qkv"), std::string::npos) << text.out;
}

TEST_F(Plans, SizesAreChosenByName) {
  auto& larger = raw_.others.emplace_back();
  larger.graph = small_vit({.side = 16});
  const NamedTensors inputs = {{"images", random_tensor({2, 3, 16, 16}, "recorded")}};
  const auto engine = runtime::make_engine(std::make_shared<runtime::Model>(raw_));
  larger.recordings.push_back({inputs, engine->run(inputs)});
  write();
  const auto compiled = compile({"--json"});
  ASSERT_EQ(compiled.code, 0) << compiled.err;
  EXPECT_EQ(parse_json(compiled.out, "stdout")["sizes"], 2);

  const auto picture = folder_.write("picture.png", small_png()).string();
  const auto top = [&](const std::string& file, const std::string& size) {
    const auto result = saccade({"classify", "-m", file, picture, "--json", "--size", size});
    EXPECT_EQ(result.code, 0) << result.err;
    return parse_json(result.out, "stdout")[0]["top"][0];
  };
  for (const char* size : {"8x8", "16"}) {
    const auto a = top(raw_path(), size), b = top(path(), size);
    EXPECT_EQ(a["label"], b["label"]);
    EXPECT_NEAR(a["score"].get<double>(), b["score"].get<double>(), 1e-5);
  }
  const auto tensor = saccade({"preprocess", picture, "-m", path(), "--size", "16x16", "--json"});
  ASSERT_EQ(tensor.code, 0) << tensor.err;
  EXPECT_EQ(parse_json(tensor.out, "stdout")["pictures"][0]["shape"], Json({3, 16, 16}));
  const auto bench = saccade({"bench", path(), "--seconds", "0.01", "--size", "16x16", "--json"});
  ASSERT_EQ(bench.code, 0) << bench.err;
  EXPECT_EQ(parse_json(bench.out, "stdout")["input"], "F32[N, 3, 16, 16]");
  const auto profile = saccade({"profile", path(), "--size", "16x16", "--json"});
  ASSERT_EQ(profile.code, 0) << profile.err;
  EXPECT_EQ(parse_json(profile.out, "stdout")["input"], Json({3, 16, 16}));
  const auto inspected = parse_json(saccade({"inspect", path(), "--json"}).out, "stdout");
  EXPECT_EQ(inspected["metadata"]["sizes"][1]["inputs"]["images"], "F32[N, 3, 16, 16]");

  for (const char* verb : {"bench", "profile"}) {
    const auto other = saccade({verb, path(), "--size", "24x24"});
    EXPECT_EQ(other.code, 2);
    EXPECT_NE(other.err.find("8x8, 16x16"), std::string::npos) << other.err;
  }
  EXPECT_EQ(saccade({"bench", path(), "--size", "0x7"}).code, 2);
  EXPECT_EQ(compile({"--sizes", "8x8,16x16"}).code, 2);  // it is traced already
}

TEST_F(Plans, GraphsAreDumpedAfterEveryPass) {
  const auto dump = folder_.path() / "ir";
  ASSERT_EQ(compile({"--dump-ir", dump.string(), "--timings"}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(dump / "00-trace.txt"));
  EXPECT_TRUE(std::filesystem::exists(dump / "01-fold_constants.txt"));
  EXPECT_TRUE(std::filesystem::exists(dump / "memory.txt"));
}

TEST_F(Plans, AnswersThatDifferAreNotWritten) {
  raw_.recordings[0].outputs[0].second = random_tensor({2, 5}, "something else");
  write();
  const auto result = compile();
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("nothing was written"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_EQ(compile({"--no-verify"}).code, 0);
}

TEST_F(Plans, MistakesHaveTheirCodes) {
  ASSERT_EQ(compile().code, 0);
  const auto twice = saccade({"compile", path(), "-o", (folder_.path() / "again.plan").string()});
  EXPECT_EQ(twice.code, 2);
  EXPECT_EQ(compile({"--skip", "magic"}).code, 2);
  auto bytes = plan::serialize(raw_);
  bytes[bytes.size() / 2] ^= std::byte{1};
  const auto bad = folder_.write(
      "bad.plan", std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const auto picture = folder_.write("picture.png", small_png()).string();
  for (const auto& command : {std::vector<std::string>{"classify", "-m", bad.string(), picture},
                              {"inspect", bad.string()},
                              {"profile", bad.string()},
                              {"compile", bad.string()},
                              {"bench", bad.string()}}) {
    const auto result = saccade(command);
    EXPECT_EQ(result.code, 3) << command[0] << result.err;
    EXPECT_NE(result.err.find("bad.plan"), std::string::npos);
  }
}

}  // namespace
}  // namespace saccade::test
