// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/analyzer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scene_builder.h"

namespace sightline::testing {
namespace {

constexpr const char* kGroups =
    "[property]\nstream-timeout = 60000\n"
    "[line-crossing]\nline-crossing-a = 0;0.5; 1;0.5\n"
    "[line-crossing-stream-yard]\nline-crossing-b = 0;0.2; 1;0.2\nline-crossing-c = 0;0.3; 1;0.3\n";

Findings show(Analyzer& analyzer, const std::string& stream, milliseconds time, float y) {
  const std::vector<Sighting> objects = {at(50, y)};
  return analyzer.scene_of(stream, time)
      .observe({.frame = {100, 100}, .time = time, .objects = objects});
}

// The same track number in two streams is two tracks.
TEST(Analyzer, StreamsHaveTheirOwnRulesTracksAndCounts) {
  Analyzer analyzer(rules_of(kGroups));
  show(analyzer, "lobby", milliseconds(0), 40);
  show(analyzer, "yard", milliseconds(0), 60);
  show(analyzer, "door", milliseconds(0), 60);
  EXPECT_EQ(show(analyzer, "lobby", milliseconds(100), 60).lines[0].in, 1u);
  EXPECT_EQ(show(analyzer, "door", milliseconds(100), 60).lines[0].in, 0u);
  const Findings yard = show(analyzer, "yard", milliseconds(100), 25);
  ASSERT_EQ(yard.lines.size(), 2u);
  EXPECT_EQ(yard.lines[0].out + yard.lines[1].out, 1u);
}

TEST(Analyzer, AStreamThatDoesNotComeIsForgotten) {
  Analyzer analyzer(rules_of(kGroups));
  show(analyzer, "a", milliseconds(0), 40);
  EXPECT_EQ(show(analyzer, "a", milliseconds(100), 60).lines[0].in, 1u);
  EXPECT_EQ(show(analyzer, "a", milliseconds(60'000), 60).lines[0].in, 1u);
  show(analyzer, "b", milliseconds(100'000), 60);
  EXPECT_EQ(analyzer.stream_count(), 2u);
  show(analyzer, "b", milliseconds(121'001), 60);
  EXPECT_EQ(analyzer.stream_count(), 1u);
  EXPECT_EQ(show(analyzer, "a", milliseconds(121'002), 60).lines[0].in, 0u);
}

TEST(Analyzer, AfterASeekBackNothingIsForgotten) {
  Analyzer analyzer(rules_of(kGroups));
  show(analyzer, "a", milliseconds(500'000), 40);
  show(analyzer, "b", milliseconds(500'000), 40);
  show(analyzer, "a", milliseconds(0), 40);
  EXPECT_EQ(show(analyzer, "b", milliseconds(0), 60).lines[0].in, 1u);
}

TEST(Analyzer, OfTooManyStreamsTheOldestGoes) {
  Analyzer analyzer(rules_of(kGroups));
  for (std::size_t i = 0; i <= 2 * Analyzer::kMaxStreams; ++i)
    for (const std::string& stream : {std::string("kept"), "s" + std::to_string(i)})
      show(analyzer, stream, milliseconds(i), i % 2 == 0 ? 40 : 60);
  EXPECT_EQ(analyzer.stream_count(), Analyzer::kMaxStreams);
  EXPECT_EQ(show(analyzer, "kept", milliseconds(9000), 60).lines[0].in, Analyzer::kMaxStreams + 1);
}

}  // namespace
}  // namespace sightline::testing
