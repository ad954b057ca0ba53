// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Networks that people use, from the folder that SIGHTLINE_MODELS names; what is not there is
// skipped.

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

INSTANTIATE_TEST_SUITE_P(
    Real, ModelsTest,
    testing::Values(Known{"fr_detect.onnx", {3, 240, 320}, {{4420, 2}, {4420, 4}}},
                    Known{"fr_landmark.onnx", {1, 64, 64}, {{136}}},
                    Known{"fr_feature.onnx", {3, 112, 112}, {{512}}}));

}  // namespace
}  // namespace sightline
