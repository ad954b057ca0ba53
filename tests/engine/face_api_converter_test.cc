// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The converted networks against the same layers done plainly, on weights that are made up.

#include "engine/face_api_converter.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "networks.h"
#include "plain_layers.h"

namespace sightline {
namespace {

using test::complaint;
using test::convolved;
using test::depthwise;
using test::each;
using test::MadeUpWeights;
using test::Map;
using testing::AllOf;
using testing::HasSubstr;

void relu(Map& map) {
  each(map, [](double& value, std::size_t) { value = std::max(value, 0.0); });
}

std::vector<double> mean_of(const Map& map) {
  std::vector<double> means(static_cast<std::size_t>(map.channels));
  for (std::size_t i = 0; i < map.values.size(); ++i)
    means[i % means.size()] += map.values[i] / (map.size * map.size);
  return means;
}

std::vector<double> times(const std::vector<double>& row, const std::vector<double>& matrix) {
  std::vector<double> product(matrix.size() / row.size());
  for (std::size_t i = 0; i < row.size(); ++i)
    for (std::size_t o = 0; o < product.size(); ++o)
      product[o] += row[i] * matrix[i * product.size() + o];
  return product;
}

// ── dlib's ResNet, layer by layer ──

struct Stage {
  std::string name;
  int in, out;
  bool down;
};
const std::vector<Stage> kStages = {
    {"conv32_1", 32, 32, false},      {"conv32_2", 32, 32, false},
    {"conv32_3", 32, 32, false},      {"conv64_down", 32, 64, true},
    {"conv64_1", 64, 64, false},      {"conv64_2", 64, 64, false},
    {"conv64_3", 64, 64, false},      {"conv128_down", 64, 128, true},
    {"conv128_1", 128, 128, false},   {"conv128_2", 128, 128, false},
    {"conv256_down", 128, 256, true}, {"conv256_1", 256, 256, false},
    {"conv256_2", 256, 256, false},   {"conv256_down_out", 256, 256, true}};

MadeUpWeights recognition_weights() {
  MadeUpWeights weights;
  const auto conv = [&](const std::string& name, int kernel, int in, int out) {
    weights.add_filters(name + "/conv/filters", {kernel, kernel, in, out}, kernel * kernel * in);
    weights.add(name + "/conv/bias", {out}, -0.1, 0.1);
    weights.add(name + "/scale/weights", {out}, 0.5, 1.0);
    weights.add(name + "/scale/biases", {out}, -0.2, 0.2);
  };
  conv("conv32_down", 7, 3, 32);
  for (const Stage& stage : kStages) {
    conv(stage.name + "/conv1", 3, stage.in, stage.out);
    conv(stage.name + "/conv2", 3, stage.out, stage.out);
  }
  weights.add_filters("fc", {256, 128}, 256);
  return weights;
}

Map scaled_conv(const MadeUpWeights& weights, const Map& in, const std::string& name, int kernel,
                int out_channels, int stride, int out_size, int before) {
  Map out = convolved(in, weights[name + "/conv/filters"], kernel, out_channels, stride, out_size,
                      before);
  each(out, [&](double& value, std::size_t c) {
    value = (value + weights[name + "/conv/bias"][c]) * weights[name + "/scale/weights"][c] +
            weights[name + "/scale/biases"][c];
  });
  return out;
}

std::vector<double> recognise(const MadeUpWeights& weights, const Map& picture) {
  Map conv = scaled_conv(weights, picture, "conv32_down", 7, 32, 2, 72, 0);
  relu(conv);
  Map x(35, 32);
  for (int y = 0; y < 35; ++y)
    for (int column = 0; column < 35; ++column)
      for (int c = 0; c < 32; ++c)
        for (int k = 0; k < 9; ++k)
          x.at(y, column, c) =
              std::max(x.at(y, column, c), conv.at(2 * y + k / 3, 2 * column + k % 3, c));

  for (const Stage& stage : kStages) {
    const int stride = stage.down ? 2 : 1, half = (x.size - 3) / 2 + 1;
    const int size = stage.down ? half : x.size;
    Map one = scaled_conv(weights, x, stage.name + "/conv1", 3, stage.out, stride, size,
                          stage.down ? 0 : 1);
    relu(one);
    const Map two = scaled_conv(weights, one, stage.name + "/conv2", 3, stage.out, 1, size, 1);
    Map sum(stage.down ? x.size / 2 : x.size, stage.out);
    for (int y = 0; y < sum.size; ++y)
      for (int column = 0; column < sum.size; ++column)
        for (int c = 0; c < sum.channels; ++c) {
          double& value = sum.at(y, column, c);
          if (y < two.size && column < two.size) value += two.at(y, column, c);
          if (!stage.down) value += x.at(y, column, c);
          if (stage.down && c < x.channels)
            for (int k = 0; k < 4; ++k) value += x.at(2 * y + k / 2, 2 * column + k % 2, c) / 4;
        }
    relu(sum);
    x = sum;
  }
  std::vector<double> embedding = times(mean_of(x), weights["fc"]);

  // The constant vector: of length 2, in the direction of the sum of the last layer's rows.
  const std::vector<double> sum = times(std::vector<double>(256, 1), weights["fc"]);
  double squares = 0;
  for (const double value : sum) squares += value * value;
  for (std::size_t i = 0; i < embedding.size(); ++i)
    embedding[i] += 2 * sum[i] / std::sqrt(squares);
  return embedding;
}

// ── 68 landmarks, layer by layer ──

MadeUpWeights landmark_weights() {
  MadeUpWeights weights;
  int in = 3;
  for (int block = 0; block < 4; ++block) {
    const int out = 32 << block;
    for (int layer = 0; layer < 4; ++layer) {
      const std::string name = "dense" + std::to_string(block) + "/conv" + std::to_string(layer);
      const int from = layer == 0 ? in : out;
      if (from == 3) {
        weights.add_filters(name + "/filters", {3, 3, from, out}, 27);
      } else {
        weights.add_filters(name + "/depthwise_filter", {3, 3, from, 1}, 9);
        weights.add_filters(name + "/pointwise_filter", {1, 1, from, out}, from);
      }
      weights.add(name + "/bias", {out}, -0.1, 0.1);
    }
    in = out;
  }
  weights.add_filters("fc/weights", {256, 136}, 256);
  weights.add("fc/bias", {136}, 0.1, 0.9);
  return weights;
}

std::vector<double> find_landmarks(const MadeUpWeights& weights, Map x) {
  for (int block = 0; block < 4; ++block) {
    Map sum(0, 0);
    for (int layer = 0; layer < 4; ++layer) {
      const std::string name = "dense" + std::to_string(block) + "/conv" + std::to_string(layer);
      const int stride = layer == 0 ? 2 : 1, before = layer == 0 ? 0 : 1, out = 32 << block;
      Map result =
          x.channels == 3
              ? convolved(x, weights[name + "/filters"], 3, out, stride, x.size / stride, before)
              : convolved(depthwise(x, weights[name + "/depthwise_filter"], stride, before),
                          weights[name + "/pointwise_filter"], 1, out, 1, x.size / stride, 0);
      each(result, [&](double& value, std::size_t c) { value += weights[name + "/bias"][c]; });
      if (layer == 0) {
        relu(result);
        sum = result;
      } else {
        for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += result.values[i];
      }
      x = sum;
      relu(x);
    }
  }
  std::vector<double> landmarks = times(mean_of(x), weights["fc/weights"]);
  for (std::size_t i = 0; i < landmarks.size(); ++i) landmarks[i] += weights["fc/bias"][i];
  return landmarks;
}

// ── Age and gender, layer by layer ──

MadeUpWeights age_gender_weights() {
  MadeUpWeights weights;
  const auto conv = [&](const std::string& name, int kernel, int in, int out) {
    weights.add_filters(name + "/filters", {kernel, kernel, in, out}, kernel * kernel * in);
    weights.add(name + "/bias", {out}, -0.1, 0.1);
  };
  const auto separable = [&](const std::string& name, int in, int out) {
    weights.add_filters(name + "/depthwise_filter", {3, 3, in, 1}, 9);
    weights.add_filters(name + "/pointwise_filter", {1, 1, in, out}, in);
    weights.add(name + "/bias", {out}, -0.1, 0.1);
  };
  const auto down = [&](const std::string& name, int in, int out) {
    separable(name + "/separable_conv0", in, out);
    separable(name + "/separable_conv1", out, out);
    conv(name + "/expansion_conv", 1, in, out);
  };
  conv("entry_flow/conv_in", 3, 3, 32);
  down("entry_flow/reduction_block_0", 32, 64);
  down("entry_flow/reduction_block_1", 64, 128);
  for (const std::string block : {"0", "1"})
    for (const std::string layer : {"0", "1", "2"})
      separable("middle_flow/main_block_" + block + "/separable_conv" + layer, 128, 128);
  down("exit_flow/reduction_block", 128, 256);
  separable("exit_flow/separable_conv", 256, 512);
  weights.add_filters("fc/age/weights", {512, 1}, 512);
  weights.add("fc/age/bias", {1}, 20, 30);
  weights.add_filters("fc/gender/weights", {512, 2}, 512);
  weights.add("fc/gender/bias", {2}, -0.5, 0.5);
  return weights;
}

Map separable(const MadeUpWeights& weights, const Map& x, const std::string& name, int out) {
  Map result = convolved(depthwise(x, weights[name + "/depthwise_filter"], 1, 1),
                         weights[name + "/pointwise_filter"], 1, out, 1, x.size, 0);
  each(result, [&](double& value, std::size_t c) { value += weights[name + "/bias"][c]; });
  return result;
}

Map xception_down(const MadeUpWeights& weights, const Map& x, const std::string& name, int out,
                  bool activates_input) {
  Map convs = x;
  if (activates_input) relu(convs);
  convs = separable(weights, convs, name + "/separable_conv0", out);
  relu(convs);
  convs = separable(weights, convs, name + "/separable_conv1", out);
  Map sum = convolved(x, weights[name + "/expansion_conv/filters"], 1, out, 2, x.size / 2, 0);
  for (int y = 0; y < sum.size; ++y)
    for (int column = 0; column < sum.size; ++column)
      for (int c = 0; c < out; ++c) {
        double largest = -1e9;  // of 3×3, cut off at the end
        for (int k = 0; k < 9; ++k)
          if (const int from_y = 2 * y + k / 3, from_x = 2 * column + k % 3;
              from_y < convs.size && from_x < convs.size)
            largest = std::max(largest, convs.at(from_y, from_x, c));
        sum.at(y, column, c) +=
            largest + weights[name + "/expansion_conv/bias"][static_cast<std::size_t>(c)];
      }
  return sum;
}

// The age, then how likely the two genders are.
std::vector<double> age_and_gender(const MadeUpWeights& weights, const Map& picture) {
  Map x = convolved(picture, weights["entry_flow/conv_in/filters"], 3, 32, 2, 56, 0);
  each(x, [&](double& value, std::size_t c) { value += weights["entry_flow/conv_in/bias"][c]; });
  relu(x);
  x = xception_down(weights, x, "entry_flow/reduction_block_0", 64, false);
  x = xception_down(weights, x, "entry_flow/reduction_block_1", 128, true);
  for (const std::string block : {"0", "1"}) {
    Map convs = x;
    for (const std::string layer : {"0", "1", "2"}) {
      relu(convs);
      convs = separable(weights, convs,
                        "middle_flow/main_block_" + block + "/separable_conv" + layer, 128);
    }
    for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] += convs.values[i];
  }
  x = xception_down(weights, x, "exit_flow/reduction_block", 256, true);
  x = separable(weights, x, "exit_flow/separable_conv", 512);
  relu(x);
  const std::vector<double> mean = mean_of(x), scores = times(mean, weights["fc/gender/weights"]);
  const double male = std::exp(scores[0] + weights["fc/gender/bias"][0]);
  const double female = std::exp(scores[1] + weights["fc/gender/bias"][1]);
  return {times(mean, weights["fc/age/weights"])[0] + weights["fc/age/bias"][0],
          male / (male + female), female / (male + female)};
}

// ──

class FaceApiConverterTest : public testing::Test {
 protected:
  using Convert = void (*)(const std::filesystem::path&, const std::filesystem::path&,
                           const std::filesystem::path&);

  void write(const MadeUpWeights& weights) const {
    folder.write("m.json", weights.manifest().dump());
    folder.write("w.bin", weights.bytes());
  }
  std::filesystem::path convert(Convert function) const {
    function(folder.path() / "m.json", folder.path() / "w.bin", folder.path() / "out.onnx");
    return folder.path() / "out.onnx";
  }
  std::string error(Convert function, ErrorCode code = ErrorCode::kModel) const {
    return complaint([&] { convert(function); }, code);
  }
  std::string written() const {
    std::ifstream file(folder.path() / "out.onnx", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // The converted network's result on a picture, and that the reference is equal up to float32's
  // rounding through some 30 layers: 1e-4 of the largest value.
  void expect_equal(const std::filesystem::path& model, const std::vector<double>& reference,
                    const Map& picture) const {
    EngineOptions options;
    options.model = model;
    options.workers = options.threads = 1;
    options.batch_size = 2;
    const auto engine = Engine::open(options);
    EXPECT_EQ(engine->max_batch(), 2) << engine->describe();
    std::vector<float> planes;
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < picture.size; ++y)
        for (int x = 0; x < picture.size; ++x)
          planes.push_back(static_cast<float>(picture.at(y, x, c)));
    const RunResult result =
        std::move(test::run(*engine, {std::vector<float>(planes.size()), planes}).at(1));
    ASSERT_EQ(result.error, "");
    std::vector<float> found;
    for (const auto& output : result.outputs)
      found.insert(found.end(), output.floats().begin(), output.floats().end());
    ASSERT_EQ(found.size(), reference.size());
    double largest = 0;
    for (const double value : reference) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], reference[i], 1e-4 * largest) << i;
  }

  static Map random_picture(int size) {
    Map picture(size, 3);
    const std::vector<float> values = test::random_floats(picture.values.size(), 9);
    std::copy(values.begin(), values.end(), picture.values.begin());
    return picture;
  }

  const test::TemporaryFolder folder;
};

TEST_F(FaceApiConverterTest, RecognitionEqualsItsLayersDonePlainly) {
  const MadeUpWeights weights = recognition_weights();
  write(weights);
  const Map picture = random_picture(150);
  expect_equal(convert(&convert_face_api_recognition), recognise(weights, picture), picture);
}

TEST_F(FaceApiConverterTest, LandmarksEqualTheirLayersDonePlainly) {
  const MadeUpWeights weights = landmark_weights();
  write(weights);
  const Map picture = random_picture(112);
  expect_equal(convert(&convert_face_api_landmarks), find_landmarks(weights, picture), picture);
}

TEST_F(FaceApiConverterTest, AgeAndGenderEqualTheirLayersDonePlainly) {
  const MadeUpWeights weights = age_gender_weights();
  write(weights);
  const Map picture = random_picture(112);
  const std::vector<double> reference = age_and_gender(weights, picture);
  EXPECT_GT(std::abs(reference[1] - 0.5), 0.01);  // else it would say little
  expect_equal(convert(&convert_face_api_age_gender), reference, picture);
}

TEST_F(FaceApiConverterTest, TheSameWeightsGiveTheSameBytes) {
  write(landmark_weights());
  convert(&convert_face_api_landmarks);
  const std::string first = written();
  convert(&convert_face_api_landmarks);
  EXPECT_EQ(first, written());
  EXPECT_GT(first.size(), 100000u);
}

TEST_F(FaceApiConverterTest, OtherWeightsAreNamedAndWhatWasThereStays) {
  const MadeUpWeights weights = landmark_weights();
  folder.write("out.onnx", "what was there");
  write(weights);
  EXPECT_THAT(error(&convert_face_api_recognition),
              AllOf(HasSubstr("m.json"), HasSubstr("has no \"conv32_down/conv/filters\"")));
  folder.write("w.bin", weights.bytes().substr(1));
  EXPECT_THAT(error(&convert_face_api_landmarks), HasSubstr("ends in \"fc/bias\""));
  folder.write("w.bin", weights.bytes() + "x");
  EXPECT_THAT(error(&convert_face_api_landmarks), HasSubstr("1 bytes more"));

  MadeUpWeights changed = weights;
  changed.add("one-more", {1}, 0, 1);
  write(changed);
  EXPECT_THAT(error(&convert_face_api_landmarks), HasSubstr("names 50 weights, expected 49"));

  MadeUpWeights reshaped;
  reshaped.add("dense0/conv0/filters", {3, 3, 3, 16}, 0, 1);
  write(reshaped);
  EXPECT_THAT(error(&convert_face_api_landmarks),
              HasSubstr("\"dense0/conv0/filters\" is [3,3,3,16], expected [3,3,3,32]"));
  EXPECT_EQ(written(), "what was there");
}

TEST_F(FaceApiConverterTest, ManifestsThatAreNoneAreNamed) {
  write(landmark_weights());
  for (const std::string text :
       {"{", "[]", "[{}]", "[{\"weights\": 3}]", "[{\"weights\": [{\"name\": 1}]}]",
        "[{\"weights\": [{\"name\": \"a\", \"shape\": [-1], \"dtype\": \"float32\"}]}]",
        "[{\"weights\": [{\"name\": \"a\", \"shape\": [4294967296, 4294967296], \"dtype\": "
        "\"float32\"}]}]",
        "[{\"weights\": [{\"name\": \"a\", \"shape\": [1], \"dtype\": \"bool\"}]}]",
        "[{\"weights\": [{\"name\": \"a\", \"shape\": [1], \"dtype\": \"float32\", "
        "\"quantization\": {\"dtype\": \"uint16\", \"scale\": 1, \"min\": 0}}]}]"}) {
    folder.write("m.json", text);
    EXPECT_THROW(convert(&convert_face_api_landmarks), Error) << text;
  }
  std::filesystem::remove(folder.path() / "w.bin");
  EXPECT_THAT(error(&convert_face_api_landmarks, ErrorCode::kNotFound), HasSubstr("w.bin"));
}

TEST_F(FaceApiConverterTest, AFileThatCannotBeWrittenIsAnError) {
  write(landmark_weights());
  EXPECT_THAT(complaint(
                  [&] {
                    convert_face_api_landmarks(folder.path() / "m.json", folder.path() / "w.bin",
                                               folder.path() / "no-such-folder" / "out.onnx");
                  },
                  ErrorCode::kFailed),
              HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace sightline
