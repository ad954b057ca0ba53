// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/run_figures.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

StreamSnapshot stream(const std::string& name, StreamState state, long frames) {
  StreamSnapshot snapshot;
  snapshot.name = name;
  snapshot.live = true;
  snapshot.state = state;
  snapshot.frames = frames;
  snapshot.dropped = 2;
  snapshot.restarts = 1;
  snapshot.counts = {frames, 1, {{"Ada", 3}}};
  snapshot.frames_per_second = 12.5;
  for (long i = 0; i < frames; ++i) snapshot.latency.add(0.02);
  snapshot.recent = snapshot.latency;
  return snapshot;
}

RunFigures two_streams() {
  return {10,
          {stream("door", StreamState::kRunning, 100), stream("yard", StreamState::kPausing, 50)},
          {{"detect", {{"runs", 50}, {"items", 150}, {"batch-fill", 0.75}}}}};
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(RunFigures, TheTotalIsTheSumOfTheStreams) {
  const StreamSnapshot total = two_streams().total();
  EXPECT_EQ(total.frames, 150);
  EXPECT_EQ(total.dropped, 4);
  EXPECT_EQ(total.restarts, 2);
  EXPECT_EQ(total.counts.named.at("Ada"), 6);
  EXPECT_DOUBLE_EQ(total.frames_per_second, 25);
  EXPECT_EQ(total.latency.count(), 150u);
}

TEST(FiguresAsJson, HaveTheDocumentedKeys) {
  const Json json = figures_as_json(two_streams());
  EXPECT_EQ(json["streams"][1]["stream"], "yard");
  EXPECT_EQ(json["streams"][1]["state"], "pausing");
  EXPECT_NEAR(json["streams"][0]["latency"]["p99"].get<double>(), 0.02, 0.0005);
  EXPECT_EQ(json["total"]["frames"], 150);
  EXPECT_EQ(json["networks"][0]["batch_fill"], 0.75);
  EXPECT_FALSE(json["networks"][0].contains("queue")) << "what an element does not say is absent";
}

TEST(FiguresAsMetrics, EachSampleHasATypeAndEachLineItsForm) {
  RunFigures figures = two_streams();
  figures.streams[0].name = "a \"quoted\\ name\nin two lines \xff";
  const std::string text = figures_as_metrics(figures);
  EXPECT_THAT(text, HasSubstr("# TYPE sightline_stream_frames_total counter\n"));
  EXPECT_THAT(text,
              HasSubstr("sightline_stream_frames_total{stream=\"a \\\"quoted\\\\ name\\nin two "));
  EXPECT_THAT(text, HasSubstr("sightline_stream_up{stream=\"yard\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("sightline_stream_latency_seconds_count{stream=\"yard\"} 50\n"));
  EXPECT_THAT(text, HasSubstr("sightline_engine_batch_fill{network=\"detect\"} 0.75\n"));
  EXPECT_THAT(text, Not(HasSubstr("sightline_engine_queue")));
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_THAT(line, testing::MatchesRegex("# (HELP|TYPE) sightline_[a-z0-9_]+ .+|"
                                            "sightline_[a-z0-9_]+([{].*[}])? [0-9.e+-]+"));
  EXPECT_GT(count, 30u);
  EXPECT_TRUE(g_utf8_validate(text.c_str(), -1, nullptr));
}

TEST(FiguresAsTable, ShowsEachStreamAndTheTotal) {
  const std::string table = joined(figures_as_table(two_streams(), 100, 24, false));
  EXPECT_THAT(table, HasSubstr("door   running"));
  EXPECT_THAT(table, HasSubstr("yard   pausing"));
  EXPECT_THAT(table, HasSubstr("total"));
  EXPECT_THAT(table, HasSubstr("batches 75 % full"));
  EXPECT_THAT(table, Not(HasSubstr("\033")));
  EXPECT_THAT(joined(figures_as_table(two_streams(), 100, 24, true)), HasSubstr("\033["));
}

TEST(FiguresAsTable, FitsTheTerminal) {
  RunFigures figures = two_streams();
  for (int i = 0; i < 60; ++i)
    figures.streams.push_back(stream("stream with a long näme " + std::to_string(i),
                                     i < 50 ? StreamState::kEnded : StreamState::kRunning, 1));
  for (const int columns : {20, 80, 200})
    for (const int rows : {8, 24}) {
      const auto table = figures_as_table(figures, columns, rows, false);
      EXPECT_LT(table.size(), static_cast<std::size_t>(rows));
      for (const std::string& line : table) EXPECT_LT(g_utf8_strlen(line.c_str(), -1), columns);
    }
  const std::string table = joined(figures_as_table(figures, 100, 24, false));
  EXPECT_THAT(table, HasSubstr("more\n"));
  EXPECT_THAT(table, Not(HasSubstr("more\nmore")));
  EXPECT_THAT(table, HasSubstr("running")) << "those that play come before those that have ended";
}

TEST(FiguresAsLine, NamesStreamsThatAreDown) {
  const std::string line = figures_as_line(two_streams());
  EXPECT_THAT(line, StartsWith("1 of 2 streams running: 25.0 frames/s"));
  EXPECT_THAT(line, HasSubstr("yard is down"));
}

}  // namespace
}  // namespace sightline
