// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Networks that people use, from the folder that SIGHTLINE_MODELS names; what is not there is
// skipped.

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/data_paths.h"
#include "networks.h"

namespace sightline {
namespace {

using testing::HasSubstr;

struct Known {
  std::string file;
  Shape input;
  std::vector<Shape> outputs;
};

void PrintTo(const Known& known, std::ostream* stream) { *stream << known.file; }

class ModelsTest : public testing::TestWithParam<Known> {
 protected:
  void SetUp() override {
    const char* const folder = std::getenv("SIGHTLINE_MODELS");
    if (folder == nullptr) GTEST_SKIP() << "SIGHTLINE_MODELS names no folder";
    options.model = std::filesystem::path(folder) / GetParam().file;
    if (!std::filesystem::exists(options.model)) GTEST_SKIP() << options.model << " is not there";
    options.workers = options.threads = 1;
  }

  EngineOptions options;
};

TEST_P(ModelsTest, HasTheKnownShapesAndRunsInBatches) {
  const auto engine = Engine::open(options);
  EXPECT_EQ(engine->input().shape, GetParam().input);
  std::vector<Shape> shapes;
  for (const TensorInfo& output : engine->outputs()) shapes.push_back(output.shape);
  EXPECT_EQ(shapes, GetParam().outputs);
  EXPECT_THAT(engine->describe(), HasSubstr("3 items in a batch equal 3 single runs"));
}

// A picture that arithmetic makes, so that others can make it, too.
std::vector<float> striped_picture() {
  std::vector<float> planes;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 300; ++y)
      for (int x = 0; x < 300; ++x) {
        const int value = (7 * x + 13 * y * (c + 1) + x * y / (3 + c)) % 256;
        planes.push_back((static_cast<float>(value) - 127.5F) / 127.5F);
      }
  return planes;
}

// What TensorFlow.js 4.22 (its plain CPU backend) computes from the package's own graph.
TEST(CocoDetectTest, EqualsTensorFlowJs) {
  EngineOptions options;
  options.model = user_models_directory() / "coco-detect.onnx";
  if (!std::filesystem::exists(options.model)) GTEST_SKIP() << options.model << " is not there";
  options.workers = options.threads = 1;
  const RunResult result = std::move(test::run(*Engine::open(options), {striped_picture()}).at(0));
  ASSERT_EQ(result.error, "");
  const auto scores = result.outputs.at(0).floats(), boxes = result.outputs.at(1).floats();

  struct Row {
    std::size_t anchor, column;  // of the 81
    float score, left, top, right, bottom;
  };
  const std::vector<Row> rows = {
      {0, 3, 0.0057697F, -0.0030504F, 0.0052342F, 0.0696131F, 0.0437217F},
      {1400, 1, 0.0008307F, 0.0189397F, 0.3582646F, 0.4546620F, 0.7531343F},
      {1800, 1, 0.0074445F, 0.4900324F, 0.5358211F, 1.0961385F, 0.8992097F},
      {1862, 26, 0.8548666F, 0.0043694F, 0.0111655F, 1.0002683F, 0.9880416F},
      {1916, 26, 0.9058720F, 0.0066689F, 0.0075574F, 0.9936025F, 0.9881634F}};
  for (const Row& row : rows) {  // float32 through some 60 layers
    EXPECT_NEAR(scores[row.anchor * 81 + row.column], row.score, 1e-4) << row.anchor;
    EXPECT_NEAR(boxes[row.anchor * 4], row.left, 1e-4) << row.anchor;
    EXPECT_NEAR(boxes[row.anchor * 4 + 1], row.top, 1e-4) << row.anchor;
    EXPECT_NEAR(boxes[row.anchor * 4 + 2], row.right, 1e-4) << row.anchor;
    EXPECT_NEAR(boxes[row.anchor * 4 + 3], row.bottom, 1e-4) << row.anchor;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Real, ModelsTest,
    testing::Values(Known{"fr_detect.onnx", {3, 240, 320}, {{4420, 2}, {4420, 4}}},
                    Known{"fr_landmark.onnx", {1, 64, 64}, {{136}}},
                    Known{"fr_feature.onnx", {3, 112, 112}, {{512}}},
                    Known{"coco-detect.onnx", {3, 300, 300}, {{1917, 81}, {1917, 4}}}));

}  // namespace
}  // namespace sightline
