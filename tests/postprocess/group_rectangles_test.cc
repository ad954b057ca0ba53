// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Grouped rectangles against OpenCV's.

#include <algorithm>
#include <random>

#include <gtest/gtest.h>
#include <opencv2/objdetect.hpp>

#include "postprocess/clustering.h"

namespace sightline {
namespace {

// OpenCV has whole pixels: means are rounded, so that each edge may be half a pixel off, and width
// and height, which it averages instead of the far edges, as much again.
constexpr float kPixels = 1.01f;

TEST(GroupRectangles, EqualOpenCvs) {
  std::mt19937 random(3);
  std::size_t groups = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<Candidate> boxes;
    std::vector<cv::Rect> theirs;
    const auto add = [&](int x, int y, int width, int height) {
      boxes.push_back({0.5f, 0, static_cast<int>(boxes.size()),
                       Rect{static_cast<float>(x), static_cast<float>(y), static_cast<float>(width),
                            static_cast<float>(height)}});
      theirs.emplace_back(x, y, width, height);
    };
    const auto number = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    for (int object = number(1, 6); object > 0; --object) {
      // Large, so that half a pixel does not decide whether a box is inside of another.
      const int x = number(0, 30000), y = number(0, 20000), size = number(2000, 12000);
      const auto near = [&](int value) { return value + number(-600, 600); };
      for (int i = number(1, 8); i > 0; --i) add(near(x), near(y), near(size), near(size));
    }
    std::vector<ClassLimits> limits(1);
    limits[0].eps = static_cast<float>(number(1, 4)) / 8;
    limits[0].group_threshold = number(0, 3);
    cv::groupRectangles(theirs, limits[0].group_threshold, static_cast<double>(limits[0].eps));
    auto ours = cluster(boxes, limits, {ClusterMode::kGroupRectangles});
    ASSERT_EQ(ours.size(), theirs.size()) << round;
    for (const cv::Rect& their : theirs) {
      const auto match = std::ranges::find_if(ours, [&](const Candidate& our) {
        return std::abs(our.box.x - static_cast<float>(their.x)) <= kPixels &&
               std::abs(our.box.y - static_cast<float>(their.y)) <= kPixels &&
               std::abs(our.box.width - static_cast<float>(their.width)) <= kPixels &&
               std::abs(our.box.height - static_cast<float>(their.height)) <= kPixels;
      });
      ASSERT_NE(match, ours.end()) << round << ": " << their;
      ours.erase(match);
    }
    groups += theirs.size();
  }
  EXPECT_GT(groups, 300u);
}

}  // namespace
}  // namespace sightline
