// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/text_stream.h"

#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "complaint.h"

namespace sightline {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

fs::path write(const test::TemporaryFolder& folder, const std::string& text) {
  const fs::path path = folder.path() / "file";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(TextStream, LinesAreWhatGetlineFindsWhereverPartsEnd) {
  const test::TemporaryFolder folder;
  const std::vector<std::string> texts = {"",
                                          "\n",
                                          "a",
                                          "a\n",
                                          "a\n\nb",
                                          std::string(65535, 'x') + "\ny\n",
                                          std::string(65536, 'x') + "\ny",
                                          std::string(200000, 'x') + "\n" + std::string(70000, 'y'),
                                          std::string("a\0b\nc", 5)};
  for (const std::string& text : texts) {
    std::vector<std::string> expected, found;
    std::istringstream reference(text);
    for (std::string line; std::getline(reference, line);) expected.push_back(line);
    TextStream stream(write(folder, text));
    for (std::string line; stream.next_line(line, 1 << 20);) found.push_back(line);
    EXPECT_EQ(found, expected) << text.size() << " bytes";
  }
}

TEST(TextStream, WhatIsAheadStaysToBeRead) {
  const test::TemporaryFolder folder;
  const std::string text = "first\nsecond\n" + std::string(100000, 'z');
  TextStream stream(write(folder, text));
  EXPECT_EQ(stream.ahead(4), "firs");
  std::string line;
  EXPECT_TRUE(stream.next_line(line, 5));
  EXPECT_EQ(line, "first");
  EXPECT_EQ(stream.ahead(1 << 20), text.substr(6));
  EXPECT_EQ(stream.rest(text.size(), ""), text.substr(6));
  EXPECT_EQ(stream.ahead(1), "");
  EXPECT_FALSE(stream.next_line(line, 5));
}

TEST(TextStream, ALineThatDoesNotEndIsAnErrorWithItsNumberAndTakesNoMemory) {
  const test::TemporaryFolder folder;
  const fs::path path = write(folder, "short\n12345678\n123456789\n");
  TextStream stream(path);
  std::string line;
  EXPECT_TRUE(stream.next_line(line, 8));
  EXPECT_TRUE(stream.next_line(line, 8));
  EXPECT_THAT(complaint([&] { stream.next_line(line, 8); }),
              HasSubstr("file:3: the line is longer than 8 bytes"));

  fs::resize_file(path, std::uintmax_t{1} << 40);  // a terabyte of zeros, without taking the room
  TextStream endless(path);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(endless.next_line(line, 1 << 20));
  EXPECT_THAT(complaint([&] { endless.next_line(line, 1 << 20); }),
              HasSubstr("file:4: the line is longer than 1 MiB"));
  EXPECT_THAT(complaint([&] { TextStream(path).rest(1 << 20, "advice."); }),
              HasSubstr("file: is larger than 1 MiB (it has 1099511627776 bytes), advice."));
}

TEST(TextStream, APipeHasABoundToo) {
  const test::TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::jthread writer([&] {
    std::ofstream stream(pipe, std::ios::binary);
    stream << std::string(5000, 'a');
  });
  EXPECT_THAT(complaint([&] { TextStream(pipe, "a pipe").rest(4096, "advice."); }),
              HasSubstr("a pipe: is larger than 4 KiB, advice."));
}

TEST(TextStream, WhatCannotBeReadIsNamed) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(complaint([&] { TextStream(folder.path() / "none"); }), HasSubstr("none: cannot be"));
  EXPECT_THAT(complaint([&] { TextStream stream(folder.path()); }), HasSubstr("cannot be read"));
  EXPECT_THAT(complaint([] { TextStream("/dev/zero"); }), HasSubstr("is a device"));
}

}  // namespace
}  // namespace sightline
