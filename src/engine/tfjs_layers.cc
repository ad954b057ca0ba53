// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/tfjs_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sightline {

namespace {

// A graph in a circle would never end. Networks of this kind are some 150 nodes deep.
constexpr int kMostDepth = 500;

class DepthGuard {
 public:
  explicit DepthGuard(int& depth) : depth_(depth) { ++depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;
  ~DepthGuard() { --depth_; }

 private:
  int& depth_;
};

struct Extent {
  std::int64_t size, before, after;
};

// TensorFlow's padding SAME: a result for each stride, zeros on both sides, one more at the end.
Extent same(std::int64_t size, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t out = (size + stride - 1) / stride;
  const std::int64_t zeros = std::max<std::int64_t>((out - 1) * stride + kernel - size, 0);
  return {out, zeros / 2, zeros - zeros / 2};
}

void scale(Convolution& convolution, const std::vector<float>& factors) {
  const std::size_t per_output = convolution.filters.size() / factors.size();
  for (std::size_t o = 0; o < factors.size(); ++o) {
    for (std::size_t i = 0; i < per_output; ++i)
      convolution.filters[o * per_output + i] *= factors[o];
    convolution.bias[o] *= factors[o];
  }
}

void shift(Convolution& convolution, const std::vector<float>& constants) {
  for (std::size_t o = 0; o < constants.size(); ++o) convolution.bias[o] += constants[o];
}

}  // namespace

void Convolution::pick(const std::vector<Pick>& picks) {
  const auto per_output = static_cast<std::size_t>(inputs_per_group * kernel_height * kernel_width);
  std::vector<float> picked, picked_bias;
  for (const Pick& pick : picks) {
    const auto from = static_cast<std::size_t>(pick.output);
    for (std::size_t i = 0; i < per_output; ++i)
      picked.push_back(filters[from * per_output + i] * pick.factor);
    picked_bias.push_back(bias[from] * pick.factor);
  }
  filters = std::move(picked);
  bias = std::move(picked_bias);
  outputs = static_cast<std::int64_t>(picks.size());
}

TfjsLayers::TfjsLayers(const TfjsGraph& graph, const TfjsWeights& weights, onnx::Builder& onnx)
    : graph_(graph), weights_(weights), onnx_(onnx) {}

void TfjsLayers::place(const std::string& name, FeatureMap map) {
  maps_.insert_or_assign(name, std::move(map));
}

FeatureMap TfjsLayers::map(const std::string& name) {
  if (const auto found = maps_.find(name); found != maps_.end()) return found->second;
  const Node& node = graph_.get(name);
  const FeatureMap result = node.op == "Relu6" ? relu6(node) : add(convolution(name));
  maps_.emplace(name, result);
  return result;
}

Convolution TfjsLayers::convolution(const std::string& name) {
  const Node& node = graph_.get(name);
  const DepthGuard guard(depth_);
  if (depth_ > kMostDepth) graph_.fail(node, "depends on itself");
  if (node.op == "Conv2D" || node.op == "DepthwiseConv2dNative") return of_filters(node);
  if (node.op == "Mul") return scaled(node);
  if (node.op == "BiasAdd") return shifted(node);
  if (node.op == "FusedBatchNorm" || node.op == "FusedBatchNormV3") return normalised(node);
  if (node.op == "AddN") return summed(node);
  if (node.op == "Add" || node.op == "AddV2") {
    const bool has_constant = std::ranges::any_of(
        node.inputs, [&](const std::string& input) { return is_constant(input); });
    return has_constant ? shifted(node) : summed(node);
  }
  graph_.fail(node,
              "operator not known here. Known: Conv2D, DepthwiseConv2dNative, and after them Mul, "
              "Add, AddN, BiasAdd, FusedBatchNorm, Relu6");
}

Convolution TfjsLayers::of_filters(const Node& node) {
  const bool is_depthwise = node.op == "DepthwiseConv2dNative";
  const auto& strides = node.strides;
  if (node.padding != "SAME" || node.data_format != "NHWC" || strides.size() != 4 ||
      strides[1] != strides[2] || strides[1] < 1)
    graph_.fail(node, "expected padding SAME, format NHWC and equal strides");
  if (std::ranges::any_of(node.dilations, [](std::int64_t dilation) { return dilation != 1; }))
    graph_.fail(node, "is dilated, expected no dilation");
  const FeatureMap from = map(input(node, 0, 2));
  const TfjsWeights::Weight& filters = weights_.get(input(node, 1, 2));
  const Shape& shape = filters.shape;  // [rows, columns, in, out]; of depthwise out is 1
  if (shape.size() != 4 || shape[2] != from.channels || (is_depthwise && shape[3] != 1))
    graph_.fail(node, "filters are " + to_string(shape) + " for " + std::to_string(from.channels) +
                          " channels");
  const Extent rows = same(from.height, shape[0], strides[1]);
  const Extent columns = same(from.width, shape[1], strides[1]);

  Convolution result;
  result.input = from.tensor;
  result.result = node.name;
  result.outputs = is_depthwise ? shape[2] : shape[3];
  result.inputs_per_group = is_depthwise ? 1 : shape[2];
  result.groups = is_depthwise ? shape[2] : 1;
  result.kernel_height = shape[0];
  result.kernel_width = shape[1];
  result.stride = strides[1];
  result.height = rows.size;
  result.width = columns.size;
  result.pads = {rows.before, columns.before, rows.after, columns.after};
  result.filters =
      to_oihw(filters.values, shape[0] * shape[1], result.inputs_per_group, result.outputs);
  result.bias.resize(static_cast<std::size_t>(result.outputs));
  return result;
}

Convolution TfjsLayers::scaled(const Node& node) {
  const std::size_t constant = is_constant(input(node, 0, 2)) ? 0 : 1;
  Convolution result = convolution(input(node, 1 - constant, 2));
  if (!result.addend.empty()) graph_.fail(node, "multiplies a sum, expected a convolution");
  scale(result, for_each_output(node, input(node, constant, 2), result));
  return result;
}

Convolution TfjsLayers::shifted(const Node& node) {
  const std::size_t constant = is_constant(input(node, 0, 2)) ? 0 : 1;
  Convolution result = convolution(input(node, 1 - constant, 2));
  shift(result, for_each_output(node, input(node, constant, 2), result));
  return result;
}

Convolution TfjsLayers::normalised(const Node& node) {
  Convolution result = convolution(input(node, 0, 5));
  if (!result.addend.empty()) graph_.fail(node, "normalises a sum, expected a convolution");
  std::vector<float> factors = for_each_output(node, input(node, 1, 5), result);
  std::vector<float> constants = for_each_output(node, input(node, 2, 5), result);
  const std::vector<float>& mean = for_each_output(node, input(node, 3, 5), result);
  const std::vector<float>& variance = for_each_output(node, input(node, 4, 5), result);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double factor = factors[i] / std::sqrt(variance[i] + node.epsilon);
    factors[i] = static_cast<float>(factor);
    constants[i] = static_cast<float>(constants[i] - mean[i] * factor);
  }
  scale(result, factors);
  shift(result, constants);
  return result;
}

// The one that nobody else reads is a convolution that the other is added to, so that constants
// that follow can be folded in.
Convolution TfjsLayers::summed(const Node& node) {
  const std::size_t own = graph_.get(input(node, 0, 2)).readers == 1 ? 0 : 1;
  Convolution result = convolution(input(node, own, 2));
  const FeatureMap other = map(input(node, 1 - own, 2));
  if (!result.addend.empty()) graph_.fail(node, "adds three, expected two");
  if (other.channels != result.outputs || other.height != result.height ||
      other.width != result.width)
    graph_.fail(node, "adds tensors of different shapes");
  result.addend = other.tensor;
  return result;
}

FeatureMap TfjsLayers::relu6(const Node& node) {
  FeatureMap result = map(input(node, 0, 1));
  if (!has_limits_) {
    onnx_.constant("relu6/low", {}, std::vector<float>{0});
    onnx_.constant("relu6/high", {}, std::vector<float>{6});
    has_limits_ = true;
  }
  onnx_.node("Clip", {result.tensor, "relu6/low", "relu6/high"}, {node.name});
  result.tensor = node.name;
  return result;
}

FeatureMap TfjsLayers::add(const Convolution& convolution) {
  const std::string& name = convolution.result;
  onnx_.constant(name + "/filters",
                 {convolution.outputs, convolution.inputs_per_group, convolution.kernel_height,
                  convolution.kernel_width},
                 convolution.filters);
  onnx_.constant(name + "/bias", {convolution.outputs}, convolution.bias);
  onnx_.node("Conv", {convolution.input, name + "/filters", name + "/bias"}, {name},
             {{"kernel_shape",
               std::vector<std::int64_t>{convolution.kernel_height, convolution.kernel_width}},
              {"strides", std::vector<std::int64_t>{convolution.stride, convolution.stride}},
              {"pads", convolution.pads},
              {"group", convolution.groups}});
  FeatureMap map{name, convolution.outputs, convolution.height, convolution.width};
  if (!convolution.addend.empty()) {
    map.tensor = name + "/sum";
    onnx_.node("Add", {name, convolution.addend}, {map.tensor});
  }
  return map;
}

bool TfjsLayers::is_constant(const std::string& name) const {
  return graph_.get(name).op == "Const";
}

const std::string& TfjsLayers::input(const Node& node, std::size_t index, std::size_t count) const {
  if (node.inputs.size() != count)
    graph_.fail(node, "has " + std::to_string(node.inputs.size()) + " inputs, expected " +
                          std::to_string(count));
  return node.inputs[index];
}

const std::vector<float>& TfjsLayers::for_each_output(const Node& node, const std::string& name,
                                                      const Convolution& convolution) const {
  const TfjsWeights::Weight& weight = weights_.get(name);
  if (weight.values.size() != static_cast<std::size_t>(convolution.outputs))
    graph_.fail(node, "\"" + name + "\" is " + to_string(weight.shape) +
                          ", expected a number for each of the " +
                          std::to_string(convolution.outputs) + " channels");
  return weight.values;
}

}  // namespace sightline
