// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A small graph of coco-ssd's form, converted, against the same layers done plainly.

#include "engine/coco_ssd_converter.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "networks.h"
#include "plain_layers.h"

namespace sightline {
namespace {

using nlohmann::json;
using test::complaint;
using test::Map;
using testing::AllOf;
using testing::HasSubstr;

constexpr int kSize = 42;  // 21 and 11 after strides of 2: zeros on one side, then on both

json bytes_of(const std::string& text) {
  json bytes = json::array();
  for (const char letter : text) bytes.push_back(static_cast<int>(letter));
  return {{"s", bytes}};
}

json list_of(const std::vector<int>& numbers) {
  json texts = json::array();
  for (const int number : numbers) texts.push_back(std::to_string(number));
  return {{"list", {{"i", texts}}}};
}

// Each layer that is added to the graph is done plainly at once.
class MadeUpGraph {
 public:
  explicit MadeUpGraph(Map picture) {
    values_.emplace("Preprocessor/sub", std::move(picture));
    constant("Preprocessor/mul/x", {}, 2.0 / 255, 2.0 / 255);
    constant("Preprocessor/sub/y", {}, 1, 1);
    node("Preprocessor/sub", "Sub", {"Preprocessor/mul", "Preprocessor/sub/y"});
    weights_.add_integers("Preprocessor/map/while/ResizeImage/stack", {2}, {kSize, kSize});
    constant("ConstantFolding/Postprocessor/Decode/div_recip", {}, 0.1, 0.1);
    constant("ConstantFolding/Postprocessor/Decode/div_2_recip", {}, 0.2, 0.2);
  }

  std::string conv(const std::string& name, const std::string& from, int kernel, int out,
                   int stride = 1) {
    const Map& in = values_.at(from);
    constant_filters(name + "/filters", {kernel, kernel, in.channels, out},
                     kernel * kernel * in.channels);
    filtered(name, "Conv2D", from, stride);
    const int size = (in.size + stride - 1) / stride;
    const int zeros = std::max((size - 1) * stride + kernel - in.size, 0);
    return result(name, test::convolved(in, weights_[name + "/filters"], kernel, out, stride, size,
                                        zeros / 2));
  }

  std::string depthwise(const std::string& name, const std::string& from, int stride = 1) {
    const Map& in = values_.at(from);
    constant_filters(name + "/filters", {3, 3, in.channels, 1}, 9);
    filtered(name, "DepthwiseConv2dNative", from, stride);
    const int size = (in.size + stride - 1) / stride;
    const int zeros = std::max((size - 1) * stride + 3 - in.size, 0);
    return result(name, test::depthwise(in, weights_[name + "/filters"], stride, zeros / 2));
  }

  // An operator with one constant for each channel.
  std::string each(const std::string& name, const std::string& op, const std::string& from,
                   bool constant_first = false) {
    Map map = values_.at(from);
    constant(name + "/constants", {map.channels}, 0.5, 1.5);
    const std::string constants = name + "/constants";
    node(name, op,
         constant_first ? std::vector{constants, from} : std::vector<std::string>{from, constants});
    test::each(map, [&](double& value, std::size_t c) {
      const double number = weights_[constants][c];
      value = op == "Mul" ? value * number : value + number;
    });
    return result(name, std::move(map));
  }

  std::string normalise(const std::string& name, const std::string& from) {
    Map map = values_.at(from);
    std::vector<std::string> inputs = {from};
    for (const char* const part : {"/gamma", "/beta", "/mean", "/variance"}) {
      constant(name + part, {map.channels}, 0.5, 1.5);
      inputs.push_back(name + part);
    }
    node(name, "FusedBatchNorm", inputs, {{"epsilon", {{"f", 0.25}}}});
    test::each(map, [&](double& value, std::size_t c) {
      value = (value - weights_[name + "/mean"][c]) /
                  std::sqrt(weights_[name + "/variance"][c] + 0.25) * weights_[name + "/gamma"][c] +
              weights_[name + "/beta"][c];
    });
    return result(name, std::move(map));
  }

  std::string relu6(const std::string& name, const std::string& from) {
    Map map = values_.at(from);
    node(name, "Relu6", {from});
    test::each(map, [](double& value, std::size_t) { value = std::clamp(value, 0.0, 6.0); });
    return result(name, std::move(map));
  }

  std::string sum(const std::string& name, const std::string& a, const std::string& b) {
    Map map = values_.at(a);
    node(name, "AddN", {a, b});
    for (std::size_t i = 0; i < map.values.size(); ++i) map.values[i] += values_.at(b).values[i];
    return result(name, std::move(map));
  }

  void anchors(int count) { constant("Postprocessor/ExpandDims", {1, count, 4}, 0, 1); }

  const Map& value(const std::string& name) const { return values_.at(name); }
  double constant_at(const std::string& name, std::size_t i) const { return weights_[name][i]; }
  json model() const {
    return {{"modelTopology", {{"node", nodes_}}}, {"weightsManifest", weights_.manifest()}};
  }
  const std::string& weights() const { return weights_.bytes(); }

 private:
  void node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs,
            const json& attributes = json::object()) {
    nodes_.push_back({{"name", name}, {"op", op}, {"input", inputs}, {"attr", attributes}});
  }
  void constant(const std::string& name, const Shape& shape, double least, double most) {
    weights_.add(name, shape, least, most);
    nodes_.push_back({{"name", name}, {"op", "Const"}});
  }
  void constant_filters(const std::string& name, const Shape& shape, int fan_in) {
    weights_.add_filters(name, shape, fan_in);
    nodes_.push_back({{"name", name}, {"op", "Const"}});
  }
  void filtered(const std::string& name, const std::string& op, const std::string& from,
                int stride) {
    node(name, op, {from, name + "/filters"},
         {{"strides", list_of({1, stride, stride, 1})},
          {"dilations", list_of({1, 1, 1, 1})},
          {"padding", bytes_of("SAME")},
          {"data_format", bytes_of("NHWC")}});
  }
  std::string result(const std::string& name, Map map) {
    values_.insert_or_assign(name, std::move(map));
    return name;
  }

  json nodes_ = json::array();
  test::MadeUpWeights weights_;
  std::map<std::string, Map> values_;
};

struct Head {
  std::string from;
  int anchors;
};

constexpr int kAnchors = 21 * 21 * 2 + 11 * 11 * 3;

// What MobileNet v2 has: a convolution, a bottleneck, one with a sum (its constant added after it),
// a stride in a depthwise convolution, and heads on two maps.
MadeUpGraph made_up_graph(const Map& picture) {
  MadeUpGraph graph(picture);
  std::string x = graph.conv("first", "Preprocessor/sub", 3, 8, 2);
  x = graph.relu6("first/relu", graph.each("first/add", "Add", x));
  x = graph.each("one/mul", "Mul", graph.depthwise("one", x));
  x = graph.relu6("one/relu", graph.each("one/add", "Add", x));
  const std::string bottleneck =
      graph.each("project/add", "Add", graph.conv("project", x, 1, 4), true);
  x = graph.relu6("expand/relu",
                  graph.each("expand/add", "Add", graph.conv("expand", bottleneck, 1, 8)));
  const std::string wide = x;
  x = graph.each("two/mul", "Mul", graph.depthwise("two", x), true);
  x = graph.relu6("two/relu", graph.each("two/add", "Add", x));
  x = graph.sum("sum", graph.conv("two/project", x, 1, 4), bottleneck);
  x = graph.each("sum/add", "Add", x, true);
  x = graph.relu6("three/relu", graph.each("three/add", "Add", graph.depthwise("three", x, 2)));

  const std::vector<Head> heads = {{wide, 2}, {x, 3}};
  for (std::size_t i = 0; i < heads.size(); ++i)
    for (const auto& [kind, columns] :
         {std::pair{"ClassPredictor", 91}, std::pair{"BoxEncodingPredictor", 4}}) {
      const std::string name = "BoxPredictor_" + std::to_string(i) + "/" + kind;
      std::string y = graph.normalise(name + "/norm", graph.depthwise(name + "/dw", heads[i].from));
      y = graph.conv(name + "/Conv2D", graph.relu6(name + "/relu", y), 1,
                     heads[i].anchors * columns);
      graph.each(name + "/BiasAdd", "BiasAdd", y);
    }
  graph.anchors(kAnchors);
  return graph;
}

// All heads' numbers, an anchor a row: in TensorFlow's layout they lie so already.
std::vector<double> rows_of(const MadeUpGraph& graph, const std::string& kind) {
  std::vector<double> rows;
  for (const char* const head : {"BoxPredictor_0/", "BoxPredictor_1/"}) {
    const std::vector<double>& values = graph.value(head + kind + "/BiasAdd").values;
    rows.insert(rows.end(), values.begin(), values.end());
  }
  return rows;
}

class CocoSsdConverterTest : public testing::Test {
 protected:
  static Map picture() {
    Map map(kSize, 3);
    const std::vector<float> values = test::random_floats(map.values.size(), 3);
    std::copy(values.begin(), values.end(), map.values.begin());
    return map;
  }

  // The weights come in two files.
  std::filesystem::path convert(const json& model, const std::string& weights) const {
    const std::size_t half = weights.size() / 2;
    const std::vector<std::filesystem::path> files = {
        folder.write("1of2", std::string_view(weights).substr(0, half)),
        folder.write("2of2", std::string_view(weights).substr(half))};
    convert_coco_ssd(folder.write("model.json", model.dump()), files, folder.path() / "out.onnx");
    return folder.path() / "out.onnx";
  }

  // What is said of the made-up graph after a change to one of its nodes.
  std::string error_after(const std::string& name, const std::function<void(json&)>& change) const {
    json model = graph.model();
    for (json& node : model["modelTopology"]["node"])
      if (node["name"] == name) change(node);
    return complaint([&] { convert(model, graph.weights()); }, ErrorCode::kModel);
  }

  const test::TemporaryFolder folder;
  const MadeUpGraph graph = made_up_graph(picture());
};

TEST_F(CocoSsdConverterTest, EqualsItsLayersDonePlainlyInABatch) {
  EngineOptions options;
  options.model = convert(graph.model(), graph.weights());
  options.workers = options.threads = 1;
  options.batch_size = 2;
  const auto engine = Engine::open(options);
  std::vector<float> planes;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < kSize; ++y)
      for (int x = 0; x < kSize; ++x) planes.push_back(static_cast<float>(picture().at(y, x, c)));
  const RunResult result =
      std::move(test::run(*engine, {std::vector<float>(planes.size()), planes}).at(1));
  ASSERT_EQ(result.error, "");
  const auto scores = result.outputs.at(0).floats(), boxes = result.outputs.at(1).floats();
  ASSERT_EQ(scores.size(), kAnchors * 81u);
  ASSERT_EQ(boxes.size(), kAnchors * 4u);

  // float32 through a dozen layers. COCO's ids that nobody uses are left out.
  const std::vector<int> unused = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83};
  const std::vector<double> logits = rows_of(graph, "ClassPredictor");
  std::size_t at = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::ranges::find(unused, static_cast<int>(i % 91)) != unused.end()) continue;
    ASSERT_NEAR(scores[at++], 1 / (1 + std::exp(-logits[i])), 1e-5) << i;
  }
  EXPECT_EQ(at, scores.size());

  const std::vector<double> offsets = rows_of(graph, "BoxEncodingPredictor");
  const auto anchor = [&](std::size_t i) {
    return graph.constant_at("Postprocessor/ExpandDims", i);
  };
  for (std::size_t i = 0; i < offsets.size(); i += 4)
    for (std::size_t axis = 0; axis < 2; ++axis) {  // y, x
      const double size = anchor(i + axis + 2) - anchor(i + axis);
      const double centre = anchor(i + axis) + size / 2 + 0.1 * offsets[i + axis] * size;
      const double half = std::exp(0.2 * offsets[i + axis + 2]) * size / 2;
      ASSERT_NEAR(boxes[i + 1 - axis], centre - half, 1e-4 * (1 + std::abs(half))) << i;
      ASSERT_NEAR(boxes[i + 3 - axis], centre + half, 1e-4 * (1 + std::abs(half))) << i;
    }
}

TEST_F(CocoSsdConverterTest, WhatIsNotKnownIsNamedAndWhatWasThereStays) {
  folder.write("out.onnx", "what was there");
  EXPECT_THAT(error_after("one/mul", [](json& node) { node["op"] = "Softplus"; }),
              AllOf(HasSubstr("model.json: \"one/mul\" (Softplus): operator not known"),
                    HasSubstr("Known: Conv2D")));
  EXPECT_THAT(error_after("two", [](json& node) { node["attr"]["padding"] = bytes_of("VALID"); }),
              HasSubstr("\"two\" (DepthwiseConv2dNative): expected padding SAME"));
  EXPECT_THAT(error_after("first",
                          [](json& node) {
                            node["attr"]["strides"] = list_of({1, 2, 1, 1});
                          }),
              HasSubstr("equal strides"));
  EXPECT_THAT(error_after("three",
                          [](json& node) {
                            node["attr"]["dilations"] = list_of({1, 2, 2, 1});
                          }),
              HasSubstr("\"three\" (DepthwiseConv2dNative): is dilated"));
  EXPECT_THAT(
      error_after("first/add", [](json& node) { node["input"][1] = "project/add/constants"; }),
      HasSubstr("\"project/add/constants\" is [4], expected a number for each of the 8"));
  EXPECT_THAT(error_after("expand", [](json& node) { node["input"][0] = "first/relu"; }),
              HasSubstr("\"expand\" (Conv2D): filters are [1,1,4,8] for 8 channels"));
  EXPECT_THAT(error_after("sum", [](json& node) { node["input"][1] = "first/relu"; }),
              HasSubstr("adds tensors of different shapes"));
  EXPECT_THAT(error_after("sum", [](json& node) { node["input"].push_back("first/relu"); }),
              HasSubstr("has 3 inputs, expected 2"));
  EXPECT_THAT(error_after("first", [](json& node) { node["input"][0] = "one/relu"; }),
              HasSubstr("depends on itself"));
  EXPECT_THAT(error_after("first", [](json& node) { node["input"][0] = "nothing"; }),
              HasSubstr("has no \"nothing\" among its"));
  EXPECT_THAT(error_after("BoxPredictor_0/ClassPredictor/BiasAdd",
                          [](json& node) { node["name"] = "renamed"; }),
              HasSubstr("has no \"BoxPredictor_0/ClassPredictor/BiasAdd\""));
  EXPECT_THAT(error_after("BoxPredictor_1/ClassPredictor/BiasAdd",
                          [](json& node) { node["name"] = "renamed"; }),
              HasSubstr("\"Postprocessor/ExpandDims\" (Const): is [1,1245,4], expected [1,882,4]"));
  EXPECT_EQ(test::complaint([&] { convert(json::array(), ""); }, ErrorCode::kModel).empty(), false);
  EXPECT_THAT(complaint([&] { convert(graph.model(), graph.weights() + "x"); }, ErrorCode::kModel),
              HasSubstr("1 bytes more"));
  std::ifstream file(folder.path() / "out.onnx");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "what was there");
}

}  // namespace
}  // namespace sightline
