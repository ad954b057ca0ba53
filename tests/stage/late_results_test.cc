// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/late_results.h"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using ::testing::IsEmpty;

constexpr std::uint64_t kPatience = 10;

class LateResultsTest : public ::testing::Test {
 protected:
  std::shared_ptr<LateResults::Look> begin(const std::string& stream, std::uint64_t track) {
    return late_.begin(stream, track, 0, {8, 8}, {});
  }
  void look(const std::string& stream, std::uint64_t track) {
    begin(stream, track)->end({}, {}, {});
  }
  // Frames of a stream; who vanished meanwhile.
  std::vector<std::string> frames(const std::string& stream, int count) {
    std::vector<std::string> streams;
    for (int i = 0; i < count; ++i)
      for (const LateResult& result : late_.of_vanished_streams(stream, kPatience))
        streams.push_back(result.stream + " " + std::to_string(result.track));
    return streams;
  }

  LateResults late_;
};

TEST_F(LateResultsTest, WhatIsLeftOfAStreamThatVanishedIsGivenAndFreed) {
  frames("door", 1), frames("yard", 1);
  look("door", 1), look("door", 2), look("yard", 1);
  // Each of two streams may be silent for as long as twenty frames.
  EXPECT_THAT(frames("yard", 19), IsEmpty());
  EXPECT_THAT(frames("yard", 1), ::testing::ElementsAre("door 1", "door 2"));
  EXPECT_EQ(late_.size(), 1u);
  // Alone it never vanishes.
  EXPECT_THAT(frames("yard", 1000), IsEmpty());
  EXPECT_EQ(late_.size(), 1u);
}

TEST_F(LateResultsTest, AStreamThatGoesOnDoesNotVanish) {
  look("door", 1), look("yard", 1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(frames("door", 1), IsEmpty());
    EXPECT_THAT(frames("yard", 9), IsEmpty());
  }
  EXPECT_EQ(late_.size(), 2u);
}

TEST_F(LateResultsTest, ALookThatIsUnderWayIsWaitedFor) {
  frames("door", 1);
  const auto slow = begin("door", 1);
  EXPECT_THAT(frames("yard", 100), IsEmpty());
  EXPECT_EQ(late_.size(), 1u);
  slow->end({}, {}, {});
  EXPECT_THAT(frames("yard", 1), ::testing::ElementsAre("door 1"));
  EXPECT_EQ(late_.size(), 0u);
}

// A thousand streams, each of which leaves a result: what is held has a bound.
TEST_F(LateResultsTest, StreamsThatComeAndGoLeaveNothing) {
  std::size_t most = 0, given = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string stream = "visitor " + std::to_string(i);
    given += frames(stream, 1).size();
    look(stream, 1);
    most = std::max(most, late_.size());
    given += frames("door", 1).size();
  }
  EXPECT_LE(most, 400u);
  EXPECT_GE(given, 1600u);
}

TEST_F(LateResultsTest, LooksEndOnAnyThread) {
  std::vector<std::thread> threads;
  for (std::uint64_t track = 0; track < 4; ++track)
    threads.emplace_back([this, track] {
      for (int i = 0; i < 200; ++i) {
        look("door " + std::to_string(i), track);
        late_.of_vanished_streams("yard", kPatience);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(late_.finish().size(), 800u);
  EXPECT_EQ(late_.size(), 0u);
}

}  // namespace
}  // namespace sightline
