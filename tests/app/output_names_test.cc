// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/output_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/exit_status.h"
#include "scratch_folder.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;

Input camera(const std::string& name) { return {InputKind::kAddress, "rtsp://" + name, name}; }

class OutputNamesTest : public testing::Test {
 protected:
  std::string folder(const std::string& name) const { return folder_.path(name).string() + "/"; }

  ScratchFolder folder_;
};

TEST_F(OutputNamesTest, EachRecordingInAFolderHasAFileOfItsOwn) {
  OutputNames names(folder("out"), false);
  EXPECT_EQ(names.take(camera("rtsp://door/1")), folder_.path("out/rtsp-door-1.mp4"));
  EXPECT_EQ(names.take(camera("rtsp://door:1")), folder_.path("out/rtsp-door-1-2.mp4"));
  EXPECT_EQ(names.take(camera("yard")), folder_.path("out/yard.mp4"));
  EXPECT_TRUE(fs::is_directory(folder_.path("out")));
}

TEST_F(OutputNamesTest, ANameThatCameToNothingIsFreeAgain) {
  OutputNames names(folder("out"), false);
  const fs::path first = names.take(camera("door"));
  names.give_back(first);
  EXPECT_EQ(names.take(camera("door")), first);
  EXPECT_EQ(names.take(camera("door")), folder_.path("out/door-2.mp4"));
}

TEST_F(OutputNamesTest, AFileIsFollowedByNumberedOnes) {
  OutputNames names(folder_.path("live.mkv"), false);
  EXPECT_EQ(names.take(camera("door")), folder_.path("live.mkv"));
  EXPECT_EQ(names.take(camera("door")), folder_.path("live-2.mkv"));
}

TEST_F(OutputNamesTest, DatedNamesSayWhenTheRecordingBegan) {
  OutputNames names(folder("out"), true);
  EXPECT_THAT(names.take(camera("door")).filename().string(),
              testing::MatchesRegex("door-[0-9]{8}-[0-9]{6}[.]mp4"));
}

TEST_F(OutputNamesTest, WhatDoesNotFitIsRefused) {
  const std::vector<Input> one = {camera("door")}, two = {camera("door"), camera("yard")};
  EXPECT_THROW(OutputNames::require_fitting("film.mp4", two), UsageError);
  EXPECT_THROW(OutputNames::require_fitting("film.gif", one), UsageError);
  EXPECT_THROW(OutputNames::require_fitting("film.jpg", one), UsageError);
  EXPECT_NO_THROW(OutputNames::require_fitting("film.mp4", one));
  EXPECT_NO_THROW(OutputNames::require_fitting("film/", two));
  EXPECT_NO_THROW(OutputNames::require_fitting("", two));
  EXPECT_EQ(OutputNames("", false).take(camera("door")), fs::path());
}

}  // namespace
}  // namespace sightline
