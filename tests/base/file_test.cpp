#include "saccade/base/file.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "saccade/base/error.h"
#include "tests/support/run.h"

namespace saccade::test {
namespace {

std::vector<std::byte> read(const std::filesystem::path& path) {
  std::vector<std::byte> bytes;
  read_file(path, [&](size_t size) {
    bytes.resize(size);
    return std::span(bytes);
  });
  return bytes;
}

TEST(File, ReadIsWhatTheMapShows) {
  const TemporaryFolder folder;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4} << 20, (size_t{9} << 20) + 5}) {
    std::string text(size, ' ');
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 2654435761U >> 13);
    const auto path = folder.path() / "file";
    write_file_atomically(path, text);
    const auto bytes = read(path), mapped = [&] {
      const auto map = FileMap::open(path);
      return std::vector<std::byte>(map->bytes().begin(), map->bytes().end());
    }();
    EXPECT_EQ(bytes, mapped) << size;
    EXPECT_EQ(bytes, std::vector<std::byte>(std::as_bytes(std::span(text)).begin(),
                                            std::as_bytes(std::span(text)).end()))
        << size;
  }
}

TEST(File, WhatCannotBeReadIsNamed) {
  const TemporaryFolder folder;
  for (const auto& path : {folder.path(), folder.path() / "missing"}) {
    try {
      read(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::bad_input);
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    }
  }
}

TEST(File, OneThatShrinksWhileItIsReadIsAnError) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  write_file_atomically(path, std::string(1000, 'x'));
  std::vector<std::byte> bytes;
  try {
    read_file(path, [&](size_t size) {
      std::filesystem::resize_file(path, 10);
      bytes.resize(size);
      return std::span(bytes);
    });
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    EXPECT_NE(std::string(error.what()).find("10"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace saccade::test
