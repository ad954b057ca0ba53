// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/view_collector.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr CropQuality kGood{2, 1, 120};

// A view that stands at an angle to others: cosine(a, b) is that of the difference.
Face view(double degrees, CropQuality quality = kGood) {
  Face face;
  const double angle = degrees * M_PI / 180;
  face.embedding = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  face.quality = quality;
  return face;
}

class ViewCollectorTest : public testing::Test {
 protected:
  std::string offer(std::vector<Face> faces) { return collector_.offer(faces, now_ += 1s); }

  ViewCollector collector_;
  ViewCollector::Clock::time_point now_ = ViewCollector::Clock::now();
};

TEST_F(ViewCollectorTest, TakesFiveViewsThatDiffer) {
  for (const double degrees : {0.0, 4.0, -4.0, 8.0, -8.0}) EXPECT_EQ(offer({view(degrees)}), "");
  EXPECT_TRUE(collector_.complete());
}

TEST_F(ViewCollectorTest, RefusesTheSameViewAgainHoweverLong) {
  EXPECT_EQ(offer({view(0)}), "");
  for (int i = 0; i < 100; ++i) EXPECT_THAT(offer({view(0.5)}), HasSubstr("turn the head"));
  EXPECT_EQ(collector_.count(), 1u);
}

TEST_F(ViewCollectorTest, RefusesViewsThatFollowEachOtherAtOnce) {
  EXPECT_EQ(collector_.offer(std::vector{view(0)}, now_), "");
  EXPECT_THAT(collector_.offer(std::vector{view(5)}, now_ + 40ms), HasSubstr("turn the head"));
  EXPECT_EQ(collector_.offer(std::vector{view(5)}, now_ + 400ms), "");
}

TEST_F(ViewCollectorTest, RefusesSomebodyElse) {
  EXPECT_EQ(offer({view(0)}), "");
  EXPECT_THAT(offer({view(30)}), HasSubstr("somebody else"));
}

TEST_F(ViewCollectorTest, RefusesFramesWithoutExactlyOneGoodFace) {
  EXPECT_THAT(offer({}), HasSubstr("no face"));
  EXPECT_THAT(offer({view(0), view(1)}), HasSubstr("2 faces"));
  EXPECT_THAT(offer({Face{}}), HasSubstr("could not be embedded"));
  EXPECT_THAT(offer({view(0, {20, 1, 120})}), HasSubstr("turned away"));
  EXPECT_THAT(offer({view(0, {2, 9, 120})}), HasSubstr("too small"));
  EXPECT_THAT(offer({view(0, {2, 1, 9})}), HasSubstr("too dark"));
  EXPECT_EQ(collector_.count(), 0u);
}

}  // namespace
}  // namespace sightline
