#include "tests/parity/golden.h"

#include <cmath>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "saccade/base/file.h"
#include "saccade/checkpoint/writer.h"

namespace saccade::parity {
namespace {

namespace fs = std::filesystem;

/// A folder that is gone after the test.
class GoldenTest : public testing::Test {
 protected:
  GoldenTest()
      : root_(fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~GoldenTest() override { fs::remove_all(root_); }

  void write(const fs::path& file, std::string_view text) const {
    fs::create_directories((root_ / file).parent_path());
    write_file_atomically(root_ / file, text);
  }

  fs::path root_;
};

constexpr std::string_view kCase = R"({"system": "toy", "model": "m", "kind": "block",
  "tolerance": {"atol": 0.5, "rtol": 0},
  "tensors": {"out.x": {"atol": 0.1, "rtol": 0.01}, "out.wide": {}, "out.n": {}}})";

TEST_F(GoldenTest, DiscoversEveryKindOfCaseInOrder) {
  write("b/two/case.json", kCase);
  write("a/one/case.json", kCase);
  write("a/one/inner/case.json", kCase);  // part of a/one
  write("formats/good/zip/expected.json", "{}");
  write("formats/bad/manifest.json",
        R"({"readers": {}, "cases": [{"file": "pickle/x.pth", "format": "pth"}]})");
  write("c/broken/case.json", "{");
  const auto cases = discover(root_);
  ASSERT_EQ(cases.size(), 5U);
  EXPECT_EQ(cases[0].folder, root_ / "a/one");
  EXPECT_EQ(cases[0].kind, "block");
  EXPECT_EQ(cases[1].folder, root_ / "b/two");
  EXPECT_NE(cases[2].problem, "");
  EXPECT_EQ(cases[3].folder, root_ / "formats/bad/pickle/x.pth");
  EXPECT_EQ(cases[3].json.at("format"), "pth");
  EXPECT_EQ(cases[4].kind, "good");
  EXPECT_EQ(discover(root_ / "a/one").size(), 1U);
  EXPECT_THROW((void)discover(root_ / "absent"), Error);
}

TEST_F(GoldenTest, ComparesUnderTheTensorsOwnTolerance) {
  write("c/case.json", kCase);
  const float nan = std::nanf("");
  const std::array golden{1.0F, -10.0F, nan}, wide{1.0F, 2.0F, 3.0F};
  const std::array<int64_t, 2> integers{3, 4};
  checkpoint::write_safetensors(root_ / "c/golden.safetensors",
                                {{"out.x", HostTensor::of<float>({3}, golden)},
                                 {"out.wide", HostTensor::of<float>({3}, wide)},
                                 {"out.n", HostTensor::of<int64_t>({2}, integers)}});
  const Case c = discover(root_ / "c").at(0);
  const auto check = [&](const char* name, std::array<float, 3> values) {
    return compare(c, name, HostTensor::of<float>({3}, values));
  };
  EXPECT_EQ(check("out.x", {1.1F, -10.19F, nan}), "");
  EXPECT_NE(check("out.x", {1.2F, -10.0F, nan}), "");
  EXPECT_NE(check("out.x", {1.0F, nan, nan}), "");
  EXPECT_NE(check("out.x", {1.0F, -10.0F, 0.0F}), "");
  EXPECT_EQ(check("out.wide", {1.5F, 2.5F, 2.5F}), "") << "the case's tolerance";
  EXPECT_NE(check("out.wide", {1.6F, 2.0F, 3.0F}).find("[0]: 1.6"), std::string::npos);
  EXPECT_NE(compare(c, "out.wide", HostTensor::of<float>({1, 3}, wide)), "") << "shape";
  const std::array<int64_t, 2> other{3, 5};
  EXPECT_EQ(compare(c, "out.n", HostTensor::of<int64_t>({2}, integers)), "");
  EXPECT_NE(compare(c, "out.n", HostTensor::of<int64_t>({2}, other)), "")
      << "integers have no tolerance";
  EXPECT_THROW((void)compare(c, "out.absent", HostTensor()), Error);
}

}  // namespace
}  // namespace saccade::parity
