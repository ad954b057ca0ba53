// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/frame_parts.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"

namespace sightline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

FrameParts parts(const std::string& keys) {
  return FrameParts::from_config(ConfigFile::parse("[property]\n" + keys, "a.ini"));
}

// How many parts hold the centre of a pixel, at least.
int least_cover(const std::vector<Rect>& parts, Size frame) {
  int least = 1 << 20;
  for (int y = 0; y < frame.height; ++y)
    for (int x = 0; x < frame.width; ++x) {
      int cover = 0;
      for (const Rect& part : parts)
        cover += part.x <= x + 0.5f && x + 0.5f < part.right() && part.y <= y + 0.5f &&
                 y + 0.5f < part.bottom();
      least = std::min(least, cover);
    }
  return least;
}

TEST(FrameParts, WithoutKeysTheFrameIsLookedAtAsAWhole) {
  EXPECT_TRUE(parts("").is_whole_frame());
  EXPECT_FALSE(parts("tiles=2x2\n").is_whole_frame());
}

TEST(FrameParts, RegionsAreWithinTheFrame) {
  EXPECT_THAT(parts("roi=10;20;30;40;80;10;50;20\n").of({100, 50}),
              ElementsAre(Rect{10, 20, 30, 30}, Rect{80, 10, 20, 20}));
  EXPECT_THAT(parts("roi=200;20;30;40\n").of({100, 50}), IsEmpty());
  EXPECT_THAT(parts("roi=0.5;0;0.5;1\nroi-units=relative\n").of({100, 50}),
              ElementsAre(Rect{50, 0, 50, 50}));
}

TEST(FrameParts, MoreTilesThanAnybodyCanMeanAreRefused) {
  EXPECT_EQ(parts("tile-size=40x40\ntile-overlap=0\n").of({1280, 720}).size(), 32u * 18 + 1);
  for (const std::string keys : {"tile-size=1x1\n", "tile-size=20x20\ntile-overlap=0\n"}) try {
      parts(keys).of({1280, 720});
      ADD_FAILURE() << keys;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_THAT(error.what(), HasSubstr("cover a region of 1280 × 720 pixels, expected 1024"));
    }
}

TEST(FrameParts, TilesCoverEverythingAndOverlapAsAsked) {
  for (const Size frame : {Size{640, 360}, {641, 359}, {100, 900}, {33, 17}})
    for (const std::string keys :
         {"tiles=3x2\n", "tile-size=120x90\n", "tile-size=31x2000\n", "tiles=4x4\ntile-overlap=0\n",
          "tile-size=50x50\ntile-overlap=0.5\n"}) {
      const auto tiles = parts(keys + "tile-whole=0\n").of(frame);
      EXPECT_GE(least_cover(tiles, frame), 1) << keys << frame.width;
      const auto with_whole = parts(keys).of(frame);
      EXPECT_GE(with_whole.size(), 1u);
      EXPECT_EQ(with_whole.back(),
                (Rect{0, 0, static_cast<float>(frame.width), static_cast<float>(frame.height)}));
    }
  const auto row = parts("tiles=3x1\ntile-overlap=0.25\ntile-whole=0\n").of({1000, 100});
  ASSERT_THAT(row, SizeIs(3));
  EXPECT_NEAR(row[0].right() - row[1].x, 0.25f * row[0].width, 0.01);
  EXPECT_NEAR(row[2].right(), 1000, 0.01);
}

TEST(FrameParts, MistakesAreNamed) {
  const auto complaint = [](const std::string& keys) {
    return test::complaint([&] { parts(keys); }, ErrorCode::kConfig);
  };
  EXPECT_THAT(complaint("roi=1;2;3\n"),
              HasSubstr("a.ini:2: roi = 1;2;3: expected left;top;width;height"));
  EXPECT_THAT(complaint("roi=1;2;0;4\n"), HasSubstr("a width and a height above 0"));
  EXPECT_THAT(complaint("roi=0;0;2;1\nroi-units=relative\n"), HasSubstr("ends at 1"));
  EXPECT_THAT(complaint("roi-units=relative\n"), HasSubstr("needs the key roi"));
  EXPECT_THAT(complaint("tiles=3\n"), HasSubstr("two numbers from 1 to 64"));
  EXPECT_THAT(complaint("tiles=0x3\n"), HasSubstr("two numbers"));
  EXPECT_THAT(complaint("tiles=3x3\ntile-size=9x9\n"), HasSubstr("contradicts the key tiles"));
  EXPECT_THAT(complaint("tile-overlap=0.1\n"), HasSubstr("needs the key tiles"));
  EXPECT_THAT(complaint("tiles=2x2\ntile-overlap=1\n"), HasSubstr("from 0 to 0.9"));
}

class MergeTest : public testing::Test {
 protected:
  // Two halves that overlap between 45 and 55, and perhaps the whole.
  void add(const Rect& part, const std::vector<Detection>& detections) {
    RegionResults results;
    results.part = part;
    results.results.detections = detections;
    found_.push_back(results);
  }
  static Detection detection(const Rect& box, float confidence, int class_id = 0) {
    return {box, confidence, class_id, "", {}, 0};
  }
  std::vector<float> merged() {
    parts("tiles=2x1\n").merge(found_, {100, 50});
    std::vector<float> confidences;
    for (const auto& results : found_)
      for (const auto& detection : results.results.detections)
        confidences.push_back(detection.confidence);
    return confidences;
  }

  const Rect left_{0, 0, 55, 50}, right_{45, 0, 55, 50}, whole_{0, 0, 100, 50};
  std::vector<RegionResults> found_;
};

TEST_F(MergeTest, WhatATileCutsOffGoesForWhatAnotherShowsWhole) {
  add(left_, {detection({40, 10, 15, 20}, 0.9f)});      // up to its edge
  add(right_, {detection({46.5f, 10, 18, 20}, 0.6f)});  // whole
  EXPECT_THAT(merged(), ElementsAre(0.6f));
}

TEST_F(MergeTest, OfTwoWholeOnesTheMoreConfidentStays) {
  add(left_, {detection({46.5f, 10, 6, 6}, 0.7f), detection({10, 10, 6, 6}, 0.5f)});
  add(right_, {detection({46.6f, 10, 6, 6}, 0.8f)});
  EXPECT_THAT(merged(), ElementsAre(0.5f, 0.8f));
}

TEST_F(MergeTest, WhatIsFoundInOnePartAloneStays) {
  add(left_, {detection({50, 10, 5, 20}, 0.9f)});  // cut off, and nobody else saw it
  add(right_, {detection({80, 10, 5, 20}, 0.6f)});
  EXPECT_THAT(merged(), ElementsAre(0.9f, 0.6f));
}

TEST_F(MergeTest, ClassesAndNeighboursInOnePartAreApart) {
  add(left_, {detection({46, 10, 6, 6}, 0.7f, 0), detection({47, 10, 6, 6}, 0.6f, 0)});
  add(right_, {detection({46.5f, 10, 6, 6}, 0.8f, 1)});
  EXPECT_THAT(merged(), ElementsAre(0.7f, 0.6f, 0.8f));
}

TEST_F(MergeTest, ALargeObjectIsFoundInTheWholeOnce) {
  add(left_, {detection({20, 5, 34.5f, 40}, 0.9f)});
  add(right_, {detection({45.2f, 5, 35, 40}, 0.9f)});
  add(whole_, {detection({20, 5, 60, 40}, 0.6f)});
  EXPECT_THAT(merged(), ElementsAre(0.6f));
}

}  // namespace
}  // namespace sightline
