// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/output_file.h"

#include <fstream>
#include <stdexcept>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "scratch_folder.h"

namespace sightline {
namespace {

using testing::HasSubstr;

TEST(OutputFile, WhatWasThereStaysUntilTheNewFileIsFinished) {
  const ScratchFolder folder;
  const auto target = folder.write("a.txt", "old");
  {
    const OutputFile output(target);
    std::ofstream(output.path()) << "half";
    EXPECT_EQ(folder.read("a.txt"), "old");
  }
  EXPECT_EQ(folder.read("a.txt"), "old");
  EXPECT_EQ(folder.count(), 1u);  // nothing is left of the half one

  OutputFile output(target);
  std::ofstream(output.path()) << "new";
  output.commit();
  EXPECT_EQ(folder.read("a.txt"), "new");
  EXPECT_EQ(folder.count(), 1u);
}

TEST(OutputFile, ALinkStaysALink) {
  const ScratchFolder folder;
  folder.write("real.txt", "old");
  std::filesystem::create_symlink("real.txt", folder.path("link.txt"));
  OutputFile::write(folder.path("link.txt"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link.txt")));
  EXPECT_EQ(folder.read("real.txt"), "new");
}

TEST(OutputFile, AFullDiskIsNamed) {
  try {
    OutputFile::write("/dev/full", "text");
    FAIL() << "written to /dev/full";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/dev/full: cannot be written: No space left"));
  }
}

TEST(OutputFile, PlacesWhereNothingCanBeWrittenAreRefusedAtOnce) {
  EXPECT_THROW(OutputFile("/nowhere/at/all.mp4"), Error);
  EXPECT_THROW(OutputFile("/tmp"), Error);
}

TEST(OutputFile, WhatLiesWhereItIsWrittenFirstIsNotUsed) {
  const ScratchFolder folder;
  folder.write("others.json", "others'");
  const std::string name = ".people." + std::to_string(getpid()) + ".part.json";
  std::filesystem::create_symlink(folder.path("others.json"), folder.path(name));
  OutputFile::write(folder.path("people.json"), "faces", OutputFile::Readers::kOwner);
  EXPECT_EQ(std::filesystem::status(folder.path("people.json")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(folder.read("others.json"), "others'");
}

TEST(OutputFile, PartsAreWrittenInOrderAndNothingStaysOfWhatFails) {
  const ScratchFolder folder;
  OutputFile::write(folder.path("parts.txt"), [](const OutputFile::Write& write) {
    for (const char* part : {"one ", "", "two"}) write(part);
  });
  EXPECT_EQ(folder.read("parts.txt"), "one two");
  EXPECT_THROW(OutputFile::write(folder.path("parts.txt"),
                                 [](const OutputFile::Write& write) {
                                   write("half");
                                   throw std::runtime_error("the source is damaged");
                                 }),
               std::runtime_error);
  EXPECT_EQ(folder.read("parts.txt"), "one two");
  EXPECT_EQ(folder.count(), 1u);
}

}  // namespace
}  // namespace sightline
