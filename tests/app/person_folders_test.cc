// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/person_folders.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "scratch_folder.h"

namespace sightline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PersonFoldersTest : public ::testing::Test {
 protected:
  void SetUp() override { gst_init(nullptr, nullptr); }

  void write(const std::string& name, const std::string& contents) {
    fs::create_directories(folder_.path(name).parent_path());
    folder_.write(name, contents);
  }
  void write_picture(const std::string& name) {
    write(name, std::string("\xff\xd8\xff\xe0\x00\x10JFIF\x00", 11) + std::string(40, 'x'));
  }
  std::string complaint() {
    try {
      read_person_folders(folder_.path(""));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  ScratchFolder folder_;
};

TEST_F(PersonFoldersTest, EachFolderIsAPersonAndTextsAreNone) {
  write_picture("Bob/2.jpg");
  write_picture("Bob/1.jpg");
  write_picture("Ada Lovelace/1.jpg");
  write("Ada Lovelace/notes.txt", "born in 1815, and other words that are no picture\n");
  write("Ada Lovelace/.hidden.jpg", "");
  fs::create_directories(folder_.path("Nobody"));
  const auto persons = read_person_folders(folder_.path("")).persons;
  ASSERT_EQ(persons.size(), 2u);
  EXPECT_EQ(persons[0].name, "Ada Lovelace");
  EXPECT_THAT(persons[0].files, ElementsAre(folder_.path("Ada Lovelace/1.jpg").string()));
  EXPECT_EQ(persons[1].name, "Bob");
  EXPECT_EQ(persons[1].files.size(), 2u);
}

TEST_F(PersonFoldersTest, WhatIsNobodysIsNamedAndStopsNobodyElse) {
  write_picture("Bob/1.jpg");
  write_picture("whose.jpg");
  write("empty.txt", "");
  write_picture("Eve\nEvil/1.jpg");
  const auto found = read_person_folders(folder_.path(""));
  ASSERT_EQ(found.persons.size(), 1u);
  EXPECT_EQ(found.persons[0].name, "Bob");
  ASSERT_EQ(found.refused.size(), 3u);
  EXPECT_STREQ(found.refused[0].reason, "no-name");
  EXPECT_THAT(found.refused[0].words, HasSubstr("no person can be called that"));
  EXPECT_EQ(found.refused[1].path, folder_.path("empty.txt").string());
  EXPECT_STREQ(found.refused[2].reason, "nobodys");
  EXPECT_THAT(found.refused[2].words, HasSubstr("whose picture is this?"));
}

TEST_F(PersonFoldersTest, NobodyIsAnError) {
  EXPECT_THAT(complaint(), HasSubstr("no pictures of persons in this folder"));
}

}  // namespace
}  // namespace sightline
