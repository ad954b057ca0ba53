// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/text_file.h"

#include <fstream>
#include <thread>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "complaint.h"
#include "core/config_file.h"
#include "core/yaml_document.h"

namespace sightline {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST(TextFile, AFileAndAPipeAreReadWhole) {
  const test::TemporaryFolder folder;
  const std::string text = std::string(100000, 'a') + '\0' + "b\n";
  std::ofstream(folder.path() / "file", std::ios::binary) << text;
  EXPECT_EQ(read_text_file(folder.path() / "file"), text);
  ASSERT_EQ(mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  const std::jthread writer(
      [&] { std::ofstream(folder.path() / "pipe", std::ios::binary) << text; });
  EXPECT_EQ(read_text_file(folder.path() / "pipe"), text);
  EXPECT_EQ(read_text_file(folder.path() / "none"), std::nullopt);
}

TEST(TextFile, ADeviceIsAnErrorWhoeverReads) {
  EXPECT_THAT(complaint([] { read_text_file("/dev/zero"); }),
              HasSubstr("/dev/zero: is a device, expected a file or a pipe"));
  EXPECT_THAT(complaint([] { ConfigFile::read("/dev/zero"); }), HasSubstr("is a device"));
  EXPECT_THAT(complaint([] { YamlValue::read("/dev/zero"); }), HasSubstr("is a device"));
}

TEST(TextFile, WhatIsTooLargeIsAnError) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "large").put('a');
  fs::resize_file(folder.path() / "large", kLargestTextFile);  // without taking the room
  EXPECT_EQ(read_text_file(folder.path() / "large")->size(), kLargestTextFile);
  fs::resize_file(folder.path() / "large", kLargestTextFile + 1);
  EXPECT_THAT(complaint([&] { read_text_file(folder.path() / "large"); }),
              HasSubstr("large: is larger than 64 MiB"));
}

}  // namespace
}  // namespace sightline
