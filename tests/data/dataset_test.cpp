#include "saccade/data/dataset.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "tests/support/pictures.h"
#include "tests/support/run.h"
#include "tests/support/tar_maker.h"

namespace saccade::data {
namespace {

namespace fs = std::filesystem;
using test::small_png;
using Names = std::vector<std::string>;

/// One record of a CIFAR batch: plane c of sample i has the value 10 * i + c.
std::string record(std::string_view labels, int i) {
  std::string text(labels);
  for (int c = 0; c < 3; ++c) text += std::string(1024, static_cast<char>(10 * i + c));
  return text;
}

class Dataset : public ::testing::Test {
 protected:
  /// "class/file" of every sample with its label, in order.
  static Names listing(const ImageDataset& set) {
    Names names;
    for (int64_t i = 0; i < set.size(); ++i) {
      const fs::path path = set.name(i);
      const auto parent = path.parent_path().filename().string();
      names.push_back(fmt::format("{}/{}={}", parent, path.filename().string(), set.label(i)));
    }
    return names;
  }

  std::shared_ptr<const ImageDataset> open(const std::string& split = "",
                                           const std::string& below = "") {
    return open_image_dataset(folder_.path() / below, split);
  }

  void refused(ErrorKind kind, const std::string& reason, const std::string& split = "",
               const std::string& below = "") {
    try {
      (void)open(split, below);
      ADD_FAILURE() << "was opened; expected: " << reason;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
    }
  }

  test::TemporaryFolder folder_;
};

TEST_F(Dataset, ReadsClassFoldersInByteOrder) {
  folder_.write("dog/2.PNG", small_png());
  folder_.write("dog/10.jpeg", "");
  folder_.write("cat/sub/1.png", small_png());
  folder_.write("cat/1.jpg", "");
  folder_.write("cat-b/0.png", small_png());
  folder_.write("cat/readme.txt", "no picture");
  folder_.write("cat/.hidden.png", small_png());
  folder_.write(".cache/x/1.png", small_png());
  folder_.write("loose.png", small_png());
  fs::create_directory(folder_.path() / "empty");
  const auto set = open();
  EXPECT_EQ(set->classes(), (Names{"cat", "cat-b", "dog", "empty"}));
  EXPECT_EQ(listing(*set),
            (Names{"cat/1.jpg=0", "sub/1.png=0", "cat-b/0.png=1", "dog/10.jpeg=2", "dog/2.PNG=2"}));
  EXPECT_EQ(set->skipped(), (Names{"cat/readme.txt", "loose.png"}));
  EXPECT_TRUE(image_dataset_splits(folder_.path()).empty());
}

TEST_F(Dataset, DecodesPicturesOfFoldersAndArchives) {
  folder_.write("a/1.png", small_png());
  folder_.write("set.tar", TarMaker().add("a/1.png", small_png()).done());
  for (const auto* below : {"", "set.tar"}) {
    const auto picture = open("", below)->image(0);
    EXPECT_EQ(picture.width, 3);
    EXPECT_EQ(picture.height, 2);
    EXPECT_EQ(std::vector<uint8_t>(picture.pixels.begin(), picture.pixels.begin() + 3),
              (std::vector<uint8_t>{200, 100, 50}));
  }
}

TEST_F(Dataset, NamesTheMemberThatIsBroken) {
  folder_.write("set.tar", TarMaker().add("a/1.png", small_png().substr(0, 40)).done());
  try {
    (void)open("", "set.tar")->image(0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    EXPECT_NE(std::string(error.what()).find("set.tar:a/1.png"), std::string::npos) << error.what();
  }
}

TEST_F(Dataset, ChoosesSplitsOfAFolder) {
  folder_.write("train/a/1.png", small_png());
  folder_.write("train/b/1.png", small_png());
  folder_.write("val/b/2.png", small_png());
  EXPECT_EQ(listing(*open("val")), Names{"b/2.png=0"});
  EXPECT_EQ(open("train")->size(), 2);
  EXPECT_EQ(image_dataset_splits(folder_.path()), (Names{"train", "val"}));
  refused(ErrorKind::usage, "no split \"test\" (it holds train, val)", "test");
  refused(ErrorKind::usage, "several splits could be meant (it holds train, val)");
}

TEST_F(Dataset, PassesThroughAFolderAroundTheSet) {
  folder_.write("set/train/a/1.png", small_png());
  folder_.write("set/val/a/2.png", small_png());
  EXPECT_EQ(listing(*open("val")), Names{"a/2.png=0"});
  EXPECT_EQ(image_dataset_splits(folder_.path()), (Names{"train", "val"}));
}

TEST_F(Dataset, TheOnlySplitNeedsNoName) {
  folder_.write("set.tar",
                TarMaker().add("test/a/1.png", small_png()).add("test/b/1.png", "").done());
  EXPECT_EQ(open("", "set.tar")->classes(), (Names{"a", "b"}));
  EXPECT_EQ(open("test", "set.tar")->size(), 2);
}

TEST_F(Dataset, ArchivesKeepEmptyClasses) {
  folder_.write("set.tar", TarMaker().add("a/", "", '5').add("b/1.png", small_png()).done());
  EXPECT_EQ(open("", "set.tar")->classes(), (Names{"a", "b"}));
}

TEST_F(Dataset, FindsTarsOfSplitsInAFolder) {
  folder_.write("cifar_train.tar", TarMaker().add("train/a/1.png", small_png()).done());
  folder_.write("cifar_test.tar", TarMaker().add("test/a/2.png", small_png()).done());
  folder_.write("flat_val.tar", TarMaker().add("a/3.png", small_png()).done());
  EXPECT_EQ(listing(*open("train")), Names{"a/1.png=0"});
  EXPECT_EQ(listing(*open("test")), Names{"a/2.png=0"});
  EXPECT_EQ(listing(*open("val")), Names{"flat_val.tar:a/3.png=0"});
  EXPECT_EQ(image_dataset_splits(folder_.path()), (Names{"test", "train", "val"}));
  refused(ErrorKind::usage, "no split \"dev\" (it holds test, train, val)", "dev");
  refused(ErrorKind::usage, "several splits");
}

TEST_F(Dataset, OneTarInAFolderMayHoldTheSplits) {
  folder_.write(
      "all.tar",
      TarMaker().add("train/a/1.png", small_png()).add("val/a/2.png", small_png()).done());
  EXPECT_EQ(listing(*open("val")), Names{"a/2.png=0"});
  EXPECT_EQ(image_dataset_splits(folder_.path()), (Names{"train", "val"}));
  refused(ErrorKind::usage, "no split \"test\" (it holds train, val)", "test");
}

TEST_F(Dataset, RefusesWhatHoldsNoPictures) {
  refused(ErrorKind::bad_input, "no pictures in class folders");
  refused(ErrorKind::bad_input, "no such file or folder", "", "absent");
  folder_.write("loose.png", small_png());
  refused(ErrorKind::bad_input, "no pictures in class folders");
  refused(ErrorKind::bad_input, "", "", "loose.png");
}

TEST_F(Dataset, RefusesLoopsOfLinks) {
  folder_.write("a/1.png", small_png());
  fs::create_directory_symlink(folder_.path(), folder_.path() / "a" / "loop");
  refused(ErrorKind::bad_input, "is a link to");
}

TEST_F(Dataset, ReadsCifar10Batches) {
  folder_.write("batches.meta.txt", "plane\r\ncar\nbird\n\n");
  folder_.write("data_batch_1.bin",
                record(std::string_view("\2", 1), 0) + record(std::string_view("\0", 1), 1));
  folder_.write("data_batch_2.bin", record("\1", 2));
  folder_.write("test_batch.bin", record("\1", 3));
  const auto train = open("train");
  ASSERT_EQ(train->size(), 3);
  EXPECT_EQ(train->classes(), (Names{"plane", "car", "bird"}));
  EXPECT_EQ(train->label(0), 2);
  EXPECT_EQ(train->label(1), 0);
  EXPECT_EQ(train->label(2), 1);
  const auto picture = train->image(2);
  EXPECT_EQ(picture.width, 32);
  EXPECT_EQ(picture.pixels.size(), 3072u);
  for (size_t i = 0; i < picture.pixels.size(); ++i) ASSERT_EQ(picture.pixels[i], 20 + i % 3);
  EXPECT_EQ(open("test")->size(), 1);
  EXPECT_NE(train->name(2).find("data_batch_2.bin:record 0"), std::string::npos);
  refused(ErrorKind::usage, "(it holds test, train)");
  refused(ErrorKind::usage, "no split \"val\"", "val");
}

TEST_F(Dataset, ReadsFineLabelsOfCifar100) {
  folder_.write("cifar-100-binary/fine_label_names.txt", "apple\npear\n");
  folder_.write("cifar-100-binary/test.bin", record(std::string_view("\7\1", 2), 1));
  const auto set = open();
  ASSERT_EQ(set->size(), 1);
  EXPECT_EQ(set->label(0), 1);
  EXPECT_EQ(set->image(0).pixels[0], 10);
}

TEST_F(Dataset, RefusesDamagedCifar) {
  folder_.write("batches.meta.txt", "plane\ncar\n");
  folder_.write("test_batch.bin", record("\1", 0) + "x");
  refused(ErrorKind::bad_input, "at byte 3073: 1 bytes remain", "test");
  folder_.write("test_batch.bin", record("\1", 0) + record("\2", 0));
  refused(ErrorKind::bad_input, "at byte 3073: class 2", "test");
}

TEST(SharedData, OpensCifar10FromItsTars) {
  const char* shared = std::getenv("SACCADE_SHARED");
  if (!shared) GTEST_SKIP() << "SACCADE_SHARED is not set";
  const auto root = fs::path(shared) / "data" / "cifar10";
  const auto test = open_image_dataset(root, "test");
  EXPECT_EQ(test->size(), 10000);
  EXPECT_EQ(test->classes().size(), 10u);
  EXPECT_EQ(test->classes()[3], "cat");
  EXPECT_EQ(test->label(9999), 9);
  EXPECT_EQ(test->image(1234).width, 32);
  EXPECT_EQ(open_image_dataset(root, "train")->size(), 50000);
}

}  // namespace
}  // namespace saccade::data
