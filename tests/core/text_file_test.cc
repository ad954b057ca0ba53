// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/text_file.h"

#include <fstream>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config_file.h"
#include "core/error.h"
#include "core/yaml_document.h"

namespace sightline {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class TextFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "text_file_test.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  template <typename Read>
  static std::string complaint(Read read) {
    try {
      read();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

TEST_F(TextFileTest, AFileAndAPipeAreReadWhole) {
  const std::string text = std::string(100000, 'a') + '\0' + "b\n";
  std::ofstream(folder_ / "file", std::ios::binary) << text;
  EXPECT_EQ(read_text_file(folder_ / "file"), text);
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const std::jthread writer([&] { std::ofstream(folder_ / "pipe", std::ios::binary) << text; });
  EXPECT_EQ(read_text_file(folder_ / "pipe"), text);
  EXPECT_EQ(read_text_file(folder_ / "none"), std::nullopt);
}

TEST_F(TextFileTest, ADeviceIsAnErrorWhoeverReads) {
  EXPECT_THAT(complaint([] { read_text_file("/dev/zero"); }),
              HasSubstr("/dev/zero: is a device, expected a file or a pipe"));
  EXPECT_THAT(complaint([] { ConfigFile::read("/dev/zero"); }), HasSubstr("is a device"));
  EXPECT_THAT(complaint([] { YamlValue::read("/dev/zero"); }), HasSubstr("is a device"));
}

TEST_F(TextFileTest, WhatIsTooLargeIsAnError) {
  std::ofstream(folder_ / "large").put('a');
  fs::resize_file(folder_ / "large", kLargestTextFile);  // without taking the room
  EXPECT_EQ(read_text_file(folder_ / "large")->size(), kLargestTextFile);
  fs::resize_file(folder_ / "large", kLargestTextFile + 1);
  EXPECT_THAT(complaint([&] { read_text_file(folder_ / "large"); }),
              HasSubstr("large: is larger than 64 MiB"));
}

}  // namespace
}  // namespace sightline
