// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Networks in float16 beside themselves in float32. ONNX Runtime computes both on the CPU, with
// float16 rounded wherever a value is handed on.

#include "engine/half_precision.h"

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "engine/onnx_builder.h"
#include "engine/onnx_file.h"
#include "engine/session.h"
#include "networks.h"

namespace sightline {
namespace {

using test::complaint;
using testing::HasSubstr;

std::vector<float> run(const std::string& model, const std::vector<float>& item) {
  SessionOptions options;
  for (const onnx::ValueInfo& output : onnx::read_summary(model).outputs)
    options.outputs.push_back(output.name);
  const auto session = load_session(model, options);
  std::vector<std::byte> input(item_bytes(session->input()).value());
  for (std::size_t i = 0; i < item.size(); ++i) {
    const std::uint16_t half = float_to_half(item[i]);
    if (session->input().type == ElementType::kFloat16)
      std::memcpy(&input[i * sizeof half], &half, sizeof half);
    else
      std::memcpy(&input[i * sizeof(float)], &item[i], sizeof(float));
  }
  std::vector<float> values;
  for (const Tensor& output : session->run(input.data(), 1, {}))
    values.insert(values.end(), output.floats().begin(), output.floats().end());
  return values;
}

// Values have 11 bits, and each operator rounds once more.
void expect_near(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  float largest = 0;
  for (const float value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 4 * largest / 2048) << i;
}

TEST(HalfPrecision, TheInputIsHalfTheOutputsAreNotAndResultsAreNear) {
  const test::ReshapeMatMul network;
  const std::string half = onnx::with_half_precision(network.file(1));
  const onnx::Summary summary = onnx::read_summary(half);
  EXPECT_EQ(summary.inputs.at(0).type, ElementType::kFloat16);
  EXPECT_EQ(summary.outputs.at(0).type, ElementType::kFloat32);
  EXPECT_EQ(summary.outputs[0].name, "y");
  const std::vector<float> item = test::random_floats(network.kIn, 3);
  expect_near(run(half, item), network(item));
}

TEST(HalfPrecision, ConvolutionsAndScalesOfResizeAndAnOutputThatIsUsedAgain) {
  onnx::Builder network("net");
  network.input("x", ElementType::kFloat32, {1, 3, 8, 8});
  network.output("middle", ElementType::kFloat32, {1, 4, 8, 8});
  network.output("y", ElementType::kFloat32, {1, 4, 16, 16});
  network.constant("w", {4, 3, 3, 3}, test::random_floats(108, 1));
  network.constant("b", {4}, test::random_floats(4, 2));
  const std::vector<float> scales = {1, 1, 2, 2};
  network.constant("scales", {4}, scales);
  network.node("Conv", {"x", "w", "b"}, {"c"}, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
  network.node("Relu", {"c"}, {"middle"});
  network.node("Resize", {"middle", "", "scales"}, {"large"}, {{"mode", std::string("nearest")}});
  network.node("Sigmoid", {"large"}, {"y"});
  const std::string model = network.file();
  const std::vector<float> item = test::random_floats(192, 5);
  expect_near(run(onnx::with_half_precision(model), item), run(model, item));
}

TEST(HalfPrecision, WeightsThatDoNotFitBecomeTheNearestThatDo) {
  onnx::Builder network("net");
  network.input("x", ElementType::kFloat32, {1, 3});
  network.output("y", ElementType::kFloat32, {1, 3});
  const std::vector<float> weights = {1e9f, 1e-12f, -1e9f};
  network.constant("w", {3}, weights);
  network.node("Mul", {"x", "w"}, {"y"});
  const std::vector<float> y = run(onnx::with_half_precision(network.file()), {1, 1, 1});
  EXPECT_EQ(y[0], 65504);
  EXPECT_GT(y[1], 0);
  EXPECT_EQ(y[2], -65504);
}

TEST(HalfPrecision, DamagedFilesAreRefused) {
  const std::string model = onnx::with_half_precision(test::ReshapeMatMul().file(1));
  for (std::size_t length = 1; length < model.size(); length += 7) {
    try {
      onnx::with_half_precision(std::string_view(model).substr(0, length));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
    }
  }
}

TEST(HalfPrecision, OnTheCpuIsAnErrorThatSaysSo) {
  const test::TemporaryFolder folder;
  EngineOptions options;
  options.model = folder.write("model.onnx", test::ReshapeMatMul().file(1));
  options.device = "cpu";
  options.half_precision = true;
  EXPECT_THAT(complaint([&] { Engine::open(options); }, ErrorCode::kDevice),
              HasSubstr("precision = fp16 is for networks on a GPU"));
}

TEST(TensorRt, OnTheCpuIsAnErrorThatSaysSo) {
  const test::TemporaryFolder folder;
  EngineOptions options;
  options.model = folder.write("model.onnx", test::ReshapeMatMul().file(1));
  options.device = "cpu";
  options.tensorrt = true;
  EXPECT_THAT(complaint([&] { Engine::open(options); }, ErrorCode::kDevice),
              HasSubstr("provider = tensorrt is for networks on a GPU"));
}

TEST(EngineOptions, OfGpusAreKeysOfTheConfiguration) {
  const auto read = [](const std::string& line) {
    return EngineOptions::from_config(
        ConfigFile::parse("[property]\nonnx-file = x.onnx\n" + line, "c"));
  };
  EXPECT_FALSE(read("").half_precision);
  EXPECT_FALSE(read("precision = fp32\n").half_precision);
  EXPECT_TRUE(read("precision = fp16\n").half_precision);
  EXPECT_FALSE(read("provider = cuda\n").tensorrt);
  EXPECT_TRUE(read("provider = tensorrt\n").tensorrt);
  EXPECT_FALSE(read("channels-last = 0\n").channels_last);
  EXPECT_TRUE(read("channels-last = 1\n").channels_last);
  EXPECT_THAT(complaint([&] { read("precision = int8\n"); }, ErrorCode::kConfig),
              HasSubstr("precision"));
}

}  // namespace
}  // namespace sightline
