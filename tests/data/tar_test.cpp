#include "saccade/data/tar.h"

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "tests/support/run.h"
#include "tests/support/tar_maker.h"

namespace saccade::data {
namespace {

std::string text(const TarMember& member) {
  return {reinterpret_cast<const char*>(member.bytes.data()), member.bytes.size()};
}

class Tar : public ::testing::Test {
 protected:
  std::shared_ptr<const TarFile> open(const std::string& bytes) {
    return TarFile::open(folder_.write("a.tar", bytes));
  }

  /// Expects a refusal of that kind whose message holds `reason`.
  void refused(const std::string& bytes, const std::string& reason,
               ErrorKind kind = ErrorKind::bad_input) {
    try {
      (void)open(bytes);
      ADD_FAILURE() << "was read; expected: " << reason;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("a.tar"), std::string::npos) << error.what();
    }
  }

  test::TemporaryFolder folder_;
};

TEST_F(Tar, ListsFilesInByteOrderOfName) {
  const auto tar = open(TarMaker()
                            .add("./b/", "", '5')
                            .add("./b/2.png", "two")
                            .add("./b/1.png", std::string(513, 'x'))
                            .add("a.png", "")
                            .done());
  ASSERT_EQ(tar->members().size(), 3u);
  EXPECT_EQ(tar->members()[0].name, "a.png");
  EXPECT_EQ(tar->members()[1].name, "b/1.png");
  EXPECT_EQ(text(tar->members()[1]), std::string(513, 'x'));
  EXPECT_EQ(text(tar->members()[2]), "two");
  EXPECT_EQ(tar->folders(), std::vector<std::string>{"b"});
}

TEST_F(Tar, JoinsThePosixPrefix) {
  const auto tar = open(TarMaker()
                            .raw(TarMaker::header("c.png", TarMaker::octal(0), '0',
                                                  std::string_view("ustar\00000", 8), "a/b"))
                            .done());
  EXPECT_EQ(tar->members().at(0).name, "a/b/c.png");
}

TEST_F(Tar, ReadsGnuLongNamesAndOldHeaders) {
  const std::string name(300, 'n');
  const auto tar =
      open(TarMaker()
               .add("././@LongLink", name + '\0', 'L')
               .add(name.substr(0, 100), "long")
               .raw(TarMaker::header("old.png", TarMaker::octal(0), '\0', std::string_view()))
               .done());
  ASSERT_EQ(tar->members().size(), 2u);
  EXPECT_EQ(tar->members()[0].name, name);
  EXPECT_EQ(tar->members()[1].name, "old.png");
}

TEST_F(Tar, ReadsPaxPathAndSize) {
  const std::string name = std::string(200, 'p') + "/\xc3\xa4.png";
  const auto records = TarMaker::record("path", name) + TarMaker::record("size", "5") +
                       TarMaker::record("mtime", "1.5");
  const auto tar = open(TarMaker()
                            .add("g", TarMaker::record("comment", "all"), 'g')
                            .add("PaxHeaders/x", records, 'x')
                            .raw(TarMaker::header("short", TarMaker::octal(0), '0'))
                            .raw(TarMaker::padded("12345"))
                            .add("next", "n")
                            .done());
  ASSERT_EQ(tar->members().size(), 2u);
  EXPECT_EQ(tar->members()[0].name, "next");
  EXPECT_EQ(tar->members()[1].name, name);
  EXPECT_EQ(text(tar->members()[1]), "12345");
}

TEST_F(Tar, ReadsSizesInBase256) {
  const std::string size("\x80\0\0\0\0\0\0\0\0\0\0\3", 12);
  const auto tar =
      open(TarMaker().raw(TarMaker::header("a", size, '0')).raw(TarMaker::padded("abc")).done());
  EXPECT_EQ(text(tar->members().at(0)), "abc");
}

TEST_F(Tar, KeepsLinksAndDevicesApart) {
  const auto tar = open(TarMaker()
                            .raw(TarMaker::header("link", TarMaker::octal(77), '2'))
                            .raw(TarMaker::header("device", TarMaker::octal(0), '3'))
                            .add("file", "f")
                            .done());
  EXPECT_EQ(tar->members().size(), 1u);
  EXPECT_EQ(tar->skipped(), (std::vector<std::string>{"device", "link"}));
}

TEST_F(Tar, RefusesWhatWasCutOffAnywhere) {
  const auto whole = TarMaker().add("a", std::string(700, 'a')).add("b", "b").done();
  for (const size_t size :
       {0, 1, 511, 512, 513, 1211, 1212, 1535, 1536, 2047, 2048, 2559, 2560, 3071})
    EXPECT_THROW((void)open(whole.substr(0, size)), Error) << size;
  EXPECT_NO_THROW((void)open(whole.substr(0, 3072)));  // one zero block is enough
}

TEST_F(Tar, RefusesSizesBeyondTheFile) {
  const auto lying = [](std::string_view size) {
    return TarMaker().raw(TarMaker::header("a", size, '0')).raw(TarMaker::padded("abc")).done();
  };
  refused(lying("00000010000"), "claims 4096 bytes, 1536 are left");
  refused(lying("77777777777"), "claims 8589934591 bytes");
  refused(lying(std::string("\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)), "beyond");
  refused(lying(std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12)), "claims");
  refused(TarMaker()
              .add("x", TarMaker::record("size", "18446744073709551615"), 'x')
              .add("a", "abc")
              .done(),
          "claims 18446744073709551615 bytes");
}

TEST_F(Tar, RefusesNegativeAndMalformedNumbers) {
  const std::string negative("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
  refused(TarMaker().raw(TarMaker::header("a", negative, '0')).done(), "negative");
  refused(TarMaker().raw(TarMaker::header("a", "-0000000001", '0')).done(), "no octal number");
  refused(TarMaker().raw(TarMaker::header("a", "00000000089", '0')).done(), "no octal number");
  refused(TarMaker().add("x", TarMaker::record("size", "-1"), 'x').add("a", "").done(), "pax size");
}

TEST_F(Tar, RefusesNamesThatLeaveTheArchive) {
  refused(TarMaker().add("../a", "").done(), "leaves the archive");
  refused(TarMaker().add("a/../../b", "").done(), "leaves the archive");
  refused(TarMaker().add("/etc/passwd", "").done(), "absolute");
  refused(TarMaker().add("x", TarMaker::record("path", "/a"), 'x').add("a", "").done(), "absolute");
  refused(TarMaker().add("L", "../../a", 'L').add("a", "").done(), "leaves the archive");
  refused(TarMaker().add("./", "").raw(TarMaker::header("", "0", '0')).done(), "without a name");
  refused(TarMaker()
              .add("x", TarMaker::record("path", std::string_view("a\0b", 3)), 'x')
              .add("a", "")
              .done(),
          "NUL");
}

TEST_F(Tar, RefusesTwoFilesOfOneName) {
  refused(TarMaker().add("a", "1").add("./a", "2").done(),
          "at byte 1024: a second member \"a\", the first is at byte 0");
  EXPECT_NO_THROW((void)open(TarMaker().add("a/", "", '5').add("a/", "", '5').done()));
}

TEST_F(Tar, RefusesMalformedPaxRecords) {
  for (const std::string records : {"x", "5 a=b", "99 a=b\n", "6 a=bc", "4 a\n\n", "0 a=b\n",
                                    "7a=bcd\n", "99999999999999999999999 a=b\n", "6 abc\n", "1 \n"})
    EXPECT_THROW((void)open(TarMaker().add("x", records, 'x').add("a", "").done()), Error)
        << records;
}

TEST_F(Tar, RefusesDamagedHeaders) {
  auto bytes = TarMaker().add("a", "1").done();
  bytes[3] = 'x';
  refused(bytes, "at byte 0: the header sum");
  refused(std::string(4096, 'z'), "header sum");
  refused("", "cut off");
}

TEST_F(Tar, SaysWhatItDoesNotRead) {
  refused(std::string("\x1f\x8b\x08", 3) + std::string(1000, 'x'), "gzip",
          ErrorKind::not_supported);
  refused(TarMaker().raw(TarMaker::header("a", TarMaker::octal(0), 'S')).done(), "sparse",
          ErrorKind::not_supported);
  refused(TarMaker().add("x", TarMaker::record("GNU.sparse.major", "1"), 'x').add("a", "").done(),
          "sparse", ErrorKind::not_supported);
}

TEST_F(Tar, EveryFlippedByteIsReadOrRefused) {
  const auto whole = TarMaker()
                         .add("x", TarMaker::record("path", "d/long.png"), 'x')
                         .add("a", "data")
                         .add("b/", "", '5')
                         .done();
  for (size_t i = 0; i < whole.size(); ++i) {
    auto bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x81);
    try {
      (void)TarFile::parse(std::as_bytes(std::span(bytes)), "flipped", nullptr);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace saccade::data
