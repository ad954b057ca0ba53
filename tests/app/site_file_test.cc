// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/site_file.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "scratch_folder.h"

namespace sightline {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SiteFileTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  RunPlan read(const std::string& text) const {
    return read_site(folder_.write("site.yaml", text),
                     {"detect.ini", "landmarks.ini", "embed.ini"});
  }
  std::string complaint(const std::string& text) const {
    try {
      read(text);
    } catch (const Error& error) {
      return error.what();
    }
    return "no complaint";
  }

  ScratchFolder folder_;
};

constexpr char kOneInput[] = "inputs:\n  - name: a\n    pipeline: videotestsrc is-live=true\n";

TEST_F(SiteFileTest, ReadsInputsWithWhatTheyOverride) {
  folder_.write("people.db", "");
  folder_.write("clip.mp4", "some clip");
  const RunPlan plan = read(R"(
gallery: people.db
device: cpu
threshold: 0.98
parallel: 3
interval: 2
stages: {detect: own.ini, landmarks: none}
restarts: {maximum: 4, stall-timeout: 2.5}
inputs:
  - name: door
    device: /dev/video7
    threshold: 0.99
    record: false
    tracking: false
    stages: {embed: big.ini}
    restarts: {maximum: none}
  - name: off
    file: gone.mp4
    enabled: false
  - name: archive
    file: clip.mp4
    interval: 0
    analytics: lines.ini
)");
  EXPECT_EQ(plan.galleries, std::vector<std::string>{folder_.path("people.db").string()});
  EXPECT_EQ(plan.files_at_once, 3);
  ASSERT_EQ(plan.streams.size(), 2u);
  const StreamPlan &door = plan.streams[0], &archive = plan.streams[1];
  EXPECT_EQ(door.input.name, "door");
  EXPECT_EQ(door.input.text, "/dev/video7");
  EXPECT_TRUE(door.live);
  EXPECT_FALSE(door.record);
  EXPECT_FLOAT_EQ(*door.threshold, 0.99f);
  EXPECT_EQ(door.restarts.maximum, std::nullopt);
  EXPECT_EQ(door.restarts.stall_timeout.count(), 2500);
  EXPECT_EQ(door.stages.detect, folder_.path("own.ini"));
  EXPECT_EQ(door.stages.landmarks, kNone);
  EXPECT_EQ(door.stages.embed, folder_.path("big.ini"));
  EXPECT_EQ(door.stages.device, "cpu");
  EXPECT_FALSE(door.tracking.tracks);
  EXPECT_EQ(door.tracking.interval, 2);
  EXPECT_EQ(archive.tracking.interval, 0);
  EXPECT_EQ(archive.analytics, folder_.path("lines.ini"));
  EXPECT_TRUE(archive.tracking.tracks) << "analytics is about tracks";
  EXPECT_FALSE(archive.live);
  EXPECT_TRUE(archive.record);
  EXPECT_FLOAT_EQ(*archive.threshold, 0.98f);
  EXPECT_EQ(archive.restarts.maximum, 4);
  EXPECT_EQ(archive.stages.embed, "embed.ini") << "shipped, where nothing is said";
}

TEST_F(SiteFileTest, ReadsOutputs) {
  const RunPlan plan = read(std::string(kOneInput) + R"(
outputs:
  record: days
  json: "-"
  stats: figures.jsonl
  stats-interval: 30
  wall: window
  metrics: 0.0.0.0:9090
)");
  EXPECT_EQ(plan.record, folder_.path("days").string() + "/");
  EXPECT_EQ(plan.json, "-");
  EXPECT_EQ(plan.stats, folder_.path("figures.jsonl"));
  EXPECT_EQ(plan.stats_interval.count(), 30);
  EXPECT_EQ(plan.wall, std::filesystem::path());
  EXPECT_EQ(plan.metrics->text(), "0.0.0.0:9090");
  EXPECT_TRUE(plan.keeps_older);
}

TEST_F(SiteFileTest, SeveralFilesOfOneInputAreStreamsOfTheirOwn) {
  folder_.write("b.mp4", "some clip");
  folder_.write("a.mp4", "some clip");
  const RunPlan plan = read("inputs:\n  - {name: archive, file: '*.mp4'}\n");
  ASSERT_EQ(plan.streams.size(), 2u);
  EXPECT_EQ(plan.streams[0].input.name, "archive/a.mp4");
  EXPECT_EQ(plan.streams[1].input.name, "archive/b.mp4");
}

TEST_F(SiteFileTest, WhetherAnInputIsLiveCanBeSaid) {
  const RunPlan plan = read(
      "inputs:\n  - {name: a, uri: 'file:///a.mjpeg', live: true}\n"
      "  - {name: b, pipeline: videotestsrc}\n"
      "  - {name: c, pipeline: videotestsrc is-live=true}\n");
  EXPECT_TRUE(plan.streams[0].live);
  EXPECT_FALSE(plan.streams[1].live);
  EXPECT_TRUE(plan.streams[2].live);
  EXPECT_FALSE(plan.streams[1].tracking.tracks) << "of files each frame stands for itself";
  EXPECT_TRUE(plan.streams[2].tracking.tracks);
}

struct Wrong {
  const char* text;
  const char* place;  // line and column
  const char* says;
};

TEST_F(SiteFileTest, ComplaintsNameThePlaceAndWhatWasExpected) {
  const Wrong wrongs[] = {
      {"gallery: x.db\n", "1:10", "x.db: no such gallery"},
      {"galery: x.db\ninputs:\n  - {name: a, device: /dev/video0}\n", "1:1",
       "Did you mean gallery?"},
      {"device: cpu\n", "1:1", "the key inputs is missing"},
      {"inputs: door\n", "1:9", "expected a list"},
      {"inputs: []\n", "1:9", "no input is enabled"},
      {"inputs:\n  - door\n", "2:5", "key: value"},
      {"inputs:\n  - device: /dev/video0\n", "2:5", "the key name is missing"},
      {"inputs:\n  - name: a\n", "2:5", "expected uri, device, file or pipeline"},
      {"inputs:\n  - name: a\n    device: /dev/video0\n    uri: rtsp://x\n", "3:13", "set already"},
      {"inputs:\n  - {name: a, device: v}\n  - {name: a, device: w}\n", "3:12", "another input"},
      {"inputs:\n  - name: a\n    uri: gopher://x\n", "3:10", "nothing here opens such an address"},
      {"inputs:\n  - name: a\n    file: none.mp4\n", "3:11", "no such file"},
      {"inputs:\n  - name: a\n    pipeline: nothing ! nowhere\n", "3:15", "nothing"},
      {"inputs:\n  - name: a\n    device: v\n    threshold: 2\n", "4:16", "from 0 to 1"},
      {"inputs:\n  - name: a\n    device: v\n    enabled: 7\n", "4:14", "true or false"},
      {"inputs:\n  - name: a\n    device: v\n    enable: yes\n", "4:5", "Did you mean enabled?"},
      {"device: abacus\n", "1:9", "expected auto, cpu or cuda:0"},
      {"interval: -1\n", "1:11", "from 0 to 1000"},
      {"tracking: some\n", "1:11", "true or false"},
      {"parallel: 0\n", "1:11", "from 1 to 64"},
      {"stages:\n  detekt: x\n", "2:3", "Did you mean detect?"},
      {"restarts:\n  maximum: -1\n", "2:12", "from 0 to"},
      {"restarts:\n  stall-timeout: soon\n", "2:18", "a number"},
      {"outputs:\n  metrics: 99999\n", "2:12", "expected a port"},
      {"outputs:\n  stats-interval: 0.5\n", "2:19", "a whole number"},
      {"outputs:\n  jason: x\n", "2:3", "Did you mean json?"},
      {"outputs: [x]\n", "1:10", "key: value"},
      {"inputs:\n  - name: ''\n", "2:11", "has no value"},
  };
  for (const Wrong& wrong : wrongs)
    EXPECT_THAT(
        complaint(wrong.text),
        AllOf(HasSubstr(std::string("site.yaml:") + wrong.place + ": "), HasSubstr(wrong.says)))
        << wrong.text;
}

// The networks themselves are looked at when all is read: by --check, or before anything runs.
TEST_F(SiteFileTest, NetworksThatAreNotThereAreNamedWithTheirPlace) {
  folder_.write("broken.ini", "[property]\nonnx-file = nowhere.onnx\n");
  const std::pair<const char*, const char*> wrongs[] = {
      {"stages: {detect: none.ini}\n", "site.yaml:1:18: detect: "},
      {"stages: {detect: broken.ini}\n", "site.yaml:1:18: detect: "},
      {"stages: [{config: none.ini}]\n", "site.yaml:1:10: config: "},
      {"stages: [{config: broken.ini}]\n", "site.yaml:1:10: config: "},
  };
  for (const auto& [text, place] : wrongs) {
    const RunPlan plan = read(std::string(text) + kOneInput);
    std::string complaint;
    try {
      plan.streams.front().stages.check();
    } catch (const Error& error) {
      complaint = error.what();
    }
    EXPECT_THAT(complaint, HasSubstr(place)) << text;
    EXPECT_THAT(complaint, testing::ContainsRegex("none.ini|nowhere.onnx")) << text;
  }
}

}  // namespace
}  // namespace sightline
