// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reading and finding lines of text.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

#include <gmock/gmock.h>

#include "fixtures.h"
#include "postprocess/oriented_box.h"

namespace sightline {
namespace {

using namespace test;
using testing::HasSubstr;

class TextLines : public testing::Test {
 protected:
  TextLines() { std::ofstream(folder_ / "characters.txt") << "a\nb\n;\n"; }
  ~TextLines() override { std::filesystem::remove_all(folder_); }

  // Each step is sure by 0.8 of one class.
  static std::vector<Tensor> steps(const std::vector<std::size_t>& ids, std::size_t classes) {
    std::vector<float> values(ids.size() * classes, 0.01f);
    for (std::size_t i = 0; i < ids.size(); ++i) values[i * classes + ids[i]] = 0.8f;
    return {Tensor::copy_of(
        "o", {static_cast<std::int64_t>(ids.size()), static_cast<std::int64_t>(classes)}, values)};
  }

  std::vector<Classification> read(const std::vector<Tensor>& outputs,
                                   const std::string& keys = {}) const {
    return make(kText + keys, network_of({32, 48}, outputs), folder_)
        ->decode(outputs)
        .classifications;
  }

  static constexpr const char* kText =
      "[property]\nmodel-family=ctc\ndictionary-path=characters.txt\n";
  std::filesystem::path folder_ = [] {
    std::string path = (std::filesystem::temp_directory_path() / "text-XXXXXX").string();
    return std::filesystem::path(mkdtemp(path.data()));
  }();
};

TEST_F(TextLines, RepeatedCharactersAreOneUnlessABlankIsBetween) {
  const auto said = read(steps({0, 1, 1, 0, 1, 2, 2, 3, 0, 0}, 4));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].attribute, "text");
  EXPECT_EQ(said[0].label, "aab;");
  EXPECT_FLOAT_EQ(said[0].confidence, 0.8f);
}

TEST_F(TextLines, TheSpaceComesAfterTheFile) {
  EXPECT_EQ(read(steps({1, 4, 2}, 5)).at(0).label, "a b");
}

TEST_F(TextLines, BlanksAndWhatIsUnsureSayNothing) {
  EXPECT_TRUE(read(steps({0, 0}, 4)).empty());
  EXPECT_TRUE(read(steps({1}, 4), "classifier-threshold=0.9\n").empty());
}

TEST_F(TextLines, AnotherDictionaryIsRefused) {
  EXPECT_THAT(complaint(kText, network_of({32, 48}, steps({1}, 9)), folder_),
              HasSubstr("holds 3 characters, expected 8"));
}

// A map where a turned box is text, each pixel by its centre.
std::vector<Tensor> painted(int width, int height, const Rect& upright, double radians) {
  std::vector<float> map(static_cast<std::size_t>(width * height), 0.05f);
  const double c = std::cos(radians), s = std::sin(radians);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double dx = x + 0.5 - upright.center().x, dy = y + 0.5 - upright.center().y;
      if (std::abs(c * dx + s * dy) <= upright.width / 2 &&
          std::abs(-s * dx + c * dy) <= upright.height / 2)
        map[static_cast<std::size_t>(y * width + x)] = 0.9f;
    }
  return {Tensor::copy_of("o", {1, height, width}, map)};
}

constexpr const char* kBoxes =
    "[property]\nmodel-family=db\n[class-attrs-all]\n"
    "pre-cluster-threshold=0.6\n";

TEST(TextBoxes, AnUprightLineIsWidenedOnEachSide) {
  const auto outputs = painted(100, 50, {20, 10, 40, 8}, 0);
  // The map is half the input's size.
  const auto found = make(kBoxes, network_of({200, 100}, outputs))->decode(outputs).detections;
  ASSERT_EQ(found.size(), 1u);
  const double by = 40 * 8 * 1.5 / (2 * (40 + 8));
  EXPECT_NEAR(found[0].box.x, 2 * (20 - by), 1e-3);
  EXPECT_NEAR(found[0].box.y, 2 * (10 - by), 1e-3);
  EXPECT_NEAR(found[0].box.width, 2 * (40 + 2 * by), 1e-3);
  EXPECT_NEAR(found[0].box.height, 2 * (8 + 2 * by), 1e-3);
  EXPECT_NEAR(found[0].confidence, 0.9, 1e-5);
}

TEST(TextBoxes, ATurnedLineHasTurnedCorners) {
  const Rect line{40, 90, 120, 20};
  for (const double angle : {0.1, 0.5, -0.4, -0.7}) {
    const auto outputs = painted(200, 200, line, angle);
    const auto found =
        make("[property]\nmodel-family=db\nunclip-ratio=0\n", network_of({200, 200}, outputs))
            ->decode(outputs)
            .detections;
    ASSERT_EQ(found.size(), 1u) << angle;
    // A third of a pixel on each side of twenty and of 120: what pixels by their centres can say.
    EXPECT_GT(iou(*found[0].corners, turned(line, angle)), 0.96) << angle;
    const auto& corners = *found[0].corners;
    EXPECT_NEAR(std::atan2(corners[1].y - corners[0].y, corners[1].x - corners[0].x), angle, 0.03);
  }
}

TEST(TextBoxes, KeysDecide) {
  const auto outputs = painted(100, 50, {20, 10, 40, 8}, 0);
  const auto count = [&](const std::string& text) {
    return make(text, network_of({100, 50}, outputs))->decode(outputs).detections.size();
  };
  EXPECT_EQ(count("[property]\nmodel-family=db\nsegmentation-threshold=0.95\n"), 0u);
  EXPECT_EQ(count("[property]\nmodel-family=db\n[class-attrs-all]\npre-cluster-threshold=0.95\n"),
            0u);
  EXPECT_EQ(count("[property]\nmodel-family=db\n"), 1u);
}

}  // namespace
}  // namespace sightline
