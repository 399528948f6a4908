// `saccade metric accuracy` on files; the numbers themselves: tests/metrics and golden/accuracy.

#include <filesystem>

#include <gtest/gtest.h>

#include "saccade/base/json.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

namespace fs = std::filesystem;

/// A .npy file, version 1.0.
template <class T>
std::string npy(const std::string& type, const std::string& shape, const std::vector<T>& values) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  std::string text("\x93NUMPY\1\0\x76\0", 10);
  text += header;
  text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return text;
}

class MetricAccuracy : public ::testing::Test {
 protected:
  RunResult accuracy(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"metric", "accuracy"});
    return saccade(arguments);
  }
  std::string write(const std::string& name, const std::string& bytes) {
    return folder_.write(name, bytes).string();
  }

  TemporaryFolder folder_;
  std::string logits_ =
      write("logits.npy", npy<float>("<f4", "(3, 2)", {1.0f, 0.0f, 0.0f, 1.0f, 2.0f, 1.0f}));
  std::string labels_ = write("labels.npy", npy<int64_t>("<i8", "(3,)", {0, 1, 1}));
};

TEST_F(MetricAccuracy, ReadsArraysOfNumpy) {
  const auto result = accuracy({logits_, labels_, "--json", "--confusion", "--per-class"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = parse_json(result.out, "stdout");
  EXPECT_DOUBLE_EQ(json["top1"].get<double>(), 2.0 / 3);
  EXPECT_EQ(json["top5"], 1.0);
  EXPECT_EQ(json["count"], 3);
  EXPECT_EQ(json["confusion"], (Json{{1, 0}, {1, 1}}));
  EXPECT_EQ(json["per_class"][1]["support"], 2);
}

TEST_F(MetricAccuracy, ReadsBothFromOneFile) {
  const auto file =
      (fs::path(SACCADE_TEST_DATA) / "accuracy/metrics_ties/golden.safetensors").string();
  const auto result = accuracy({file, file, "--json", "-k", "3", "--bins", "10"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = parse_json(result.out, "stdout");
  EXPECT_DOUBLE_EQ(json["top1"].get<double>(), 0.45);
  EXPECT_NEAR(json["top3"].get<double>(), 0.7166666666, 1e-9);
  EXPECT_NEAR(json["ece"].get<double>(), 0.11020570241957389, 1e-9);
  EXPECT_EQ(accuracy({file, file, "--logits-key", "in.logits"}).code, 0);
  EXPECT_EQ(accuracy({file, file, "--logits-key", "in.logit"}).code, 2);
}

TEST_F(MetricAccuracy, AcceptsSmallIntegers) {
  const auto labels = write("u8.npy", npy<uint8_t>("|u1", "(3,)", {0, 1, 1}));
  EXPECT_EQ(accuracy({logits_, labels}).code, 0);
}

TEST_F(MetricAccuracy, RefusesWhatDoesNotFit) {
  const auto refused = [&](const std::string& labels, const std::string& reason) {
    const auto result = accuracy({logits_, labels});
    EXPECT_EQ(result.code, 3) << result.err;
    EXPECT_NE(result.err.find(reason), std::string::npos) << result.err;
  };
  refused(write("2.npy", npy<int64_t>("<i8", "(2,)", {0, 1})), "2 labels for 3 rows");
  refused(write("9.npy", npy<int64_t>("<i8", "(3,)", {0, 1, 2})), "label 2 of sample 2");
  refused(write("n.npy", npy<int64_t>("<i8", "(3,)", {0, -1, 1})), "label -1 of sample 1");
  refused(write("f.npy", npy<float>("<f4", "(3,)", {0, 1, 1})), "whole numbers");
  refused(write("bad.npy", "nothing"), "bad.npy");
  const auto flat = accuracy({labels_, labels_});
  EXPECT_EQ(flat.code, 3);
  EXPECT_NE(flat.err.find("[samples, classes]"), std::string::npos) << flat.err;
}

TEST_F(MetricAccuracy, KnowsItsMetrics) {
  EXPECT_EQ(saccade({"metric"}).code, 2);
  EXPECT_EQ(saccade({"metric", "acuracy", logits_, labels_}).code, 2);
}

}  // namespace
}  // namespace saccade::test
