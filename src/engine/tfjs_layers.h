// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Layers of a TensorFlow.js graph become nodes of an ONNX graph: convolutions, with everything that
// can be folded into them, sums and Relu6; rows of channels become planes (NHWC to NCHW).

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/onnx_builder.h"
#include "engine/tfjs_graph.h"
#include "engine/tfjs_weights.h"

namespace sightline {

// A tensor [batch, channels, height, width] of the ONNX graph.
struct FeatureMap {
  std::string tensor;
  std::int64_t channels = 0, height = 0, width = 0;
};

// A convolution that is not in the ONNX graph yet, so that what comes after it can be folded in.
struct Convolution {
  std::string input, result;  // tensors
  std::int64_t outputs = 0, inputs_per_group = 0, groups = 1;
  std::int64_t kernel_height = 0, kernel_width = 0, stride = 1;
  std::int64_t height = 0, width = 0;  // of the result
  std::vector<std::int64_t> pads;      // top, left, bottom, right
  std::vector<float> filters;          // [outputs, inputs_per_group, kernel…]
  std::vector<float> bias;
  std::string addend;  // a tensor that is added to the result; empty: none

  struct Pick {
    std::int64_t output;
    float factor;
  };
  // Outputs in another order, some left out, multiplied.
  void pick(const std::vector<Pick>& picks);
};

class TfjsLayers {
 public:
  // All three are to outlive it.
  TfjsLayers(const TfjsGraph& graph, const TfjsWeights& weights, onnx::Builder& onnx);

  // Stands for the node `name`: where conversion ends.
  void place(const std::string& name, FeatureMap map);

  // These convert what the node needs, too. They throw Error(kModel) that names the node at which
  // an operator, or the way in which it is used, is not known here.
  FeatureMap map(const std::string& name);
  Convolution convolution(const std::string& name);

  FeatureMap add(const Convolution& convolution);

 private:
  using Node = TfjsGraph::Node;

  Convolution of_filters(const Node& node);
  Convolution scaled(const Node& node);
  Convolution shifted(const Node& node);
  Convolution normalised(const Node& node);
  Convolution summed(const Node& node);
  FeatureMap relu6(const Node& node);

  bool is_constant(const std::string& name) const;
  const std::string& input(const Node& node, std::size_t index, std::size_t count) const;
  const std::vector<float>& for_each_output(const Node& node, const std::string& name,
                                            const Convolution& convolution) const;

  const TfjsGraph& graph_;
  const TfjsWeights& weights_;
  onnx::Builder& onnx_;
  std::map<std::string, FeatureMap> maps_;
  int depth_ = 0;  // of conversions within conversions
  bool has_limits_ = false;
};

}  // namespace sightline
