#include "saccade/base/progress.h"

#include <cstdlib>
#include <memory>

#include <gtest/gtest.h>

namespace saccade {
namespace {

using Style = ProgressOptions::Style;

/// A stream in memory.
class Memory {
 public:
  Memory() : file_(::open_memstream(&data_, &size_)) {}
  ~Memory() {
    std::fclose(file_);
    std::free(data_);
  }
  [[nodiscard]] std::FILE* file() const { return file_; }
  [[nodiscard]] std::string text() const {
    std::fflush(file_);
    return {data_, size_};
  }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  std::FILE* file_;
};

TEST(Progress, FormatsDurations) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(59.6), "1:00");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(-5), "0:00");
}

TEST(Progress, WritesPlainLinesWithCountAndNote) {
  Memory memory;
  {
    Progress progress("eval", 10, "images", {memory.file(), Style::lines, 0, 0});
    progress.advance(4, "top1 50 %");
    progress.advance(6);
    progress.finish("top1 60 %");
  }
  const auto text = memory.text();
  EXPECT_NE(text.find(" 4/10 "), text.npos) << text;
  EXPECT_NE(text.find("ETA"), text.npos);
  EXPECT_NE(text.find("top1 60 %\n"), text.npos);
  EXPECT_EQ(text.find('\r'), text.npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Progress, KeepsQuietBetweenTwoLines) {
  Memory memory;
  Progress progress("eval", 1000, "images", {memory.file(), Style::lines, 0, 3600});
  for (int i = 0; i < 1000; ++i) progress.advance(1);
  EXPECT_EQ(memory.text(), "");
}

TEST(Progress, RedrawsTheBarOverItself) {
  Memory memory;
  {
    Progress progress("train", 4, "images", {memory.file(), Style::bar, 0, 0});
    progress.advance(2, "a long note");
    progress.advance(2, "short");
    progress.clear();
  }
  const auto text = memory.text();
  EXPECT_NE(text.find("[============>"), text.npos) << text;
  EXPECT_NE(text.find("[========================]"), text.npos) << text;
  EXPECT_EQ(text.find('\n'), text.npos);
  EXPECT_EQ(text.back(), '\r');
}

TEST(Progress, AnAbandonedBarEndsItsLine) {
  Memory memory;
  { Progress("train", 4, "images", {memory.file(), Style::bar, 0, 0}).advance(1); }
  EXPECT_EQ(memory.text().back(), '\n');
}

TEST(Progress, SilentMeansSilent) {
  Memory memory;
  Progress progress("eval", 4, "images", {memory.file(), Style::silent, 0, 0});
  progress.advance(4);
  progress.finish();
  EXPECT_EQ(memory.text(), "");
}

}  // namespace
}  // namespace saccade
