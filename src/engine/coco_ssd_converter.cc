// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/coco_ssd_converter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "engine/model_file.h"
#include "engine/onnx_builder.h"
#include "engine/tfjs_graph.h"
#include "engine/tfjs_layers.h"
#include "engine/tfjs_weights.h"

namespace sightline {

namespace {

using Numbers = std::vector<std::int64_t>;

constexpr std::int64_t kIds = 91;
// COCO never used these ids; 0 is the background.
constexpr std::array<std::int64_t, 10> kUnused = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83};

const char* const kInput = "Preprocessor/sub";
const char* const kInputSize = "Preprocessor/map/while/ResizeImage/stack";
const char* const kAnchors = "Postprocessor/ExpandDims";
const char* const kCentreScale = "ConstantFolding/Postprocessor/Decode/div_recip";
const char* const kSizeScale = "ConstantFolding/Postprocessor/Decode/div_2_recip";

Numbers used_ids() {
  Numbers ids;
  for (std::int64_t id = 0; id < kIds - 1; ++id)
    if (std::ranges::find(kUnused, id) == kUnused.end()) ids.push_back(id);
  ids.push_back(kIds - 1);
  return ids;
}

class CocoSsd {
 public:
  CocoSsd(const TfjsGraph& graph, const TfjsWeights& weights)
      : graph_(graph), weights_(weights), onnx_("coco-ssd"), layers_(graph, weights, onnx_) {}

  std::string file() {
    add_input();
    std::vector<std::string> scores, offsets;
    for (int i = 0; graph_.has(head(i, "ClassPredictor")); ++i) {
      scores.push_back(class_scores(head(i, "ClassPredictor")));
      offsets.push_back(box_offsets(head(i, "BoxEncodingPredictor")));
    }
    if (scores.empty()) graph_.get(head(0, "ClassPredictor"));
    expect_anchors();
    onnx_.output("scores", ElementType::kFloat32, {-1, anchors(), kept()});
    onnx_.output("boxes", ElementType::kFloat32, {-1, anchors(), 4});
    onnx_.node("Concat", scores, {"decoded/logits"}, {{"axis", std::int64_t{1}}});
    onnx_.node("Sigmoid", {"decoded/logits"}, {"scores"});
    onnx_.node("Concat", offsets, {"decoded/offsets"}, {{"axis", std::int64_t{1}}});
    add_decoding();
    return onnx_.file();
  }

 private:
  static std::string head(int index, const char* name) {
    return "BoxPredictor_" + std::to_string(index) + "/" + name + "/BiasAdd";
  }
  std::int64_t kept() const { return static_cast<std::int64_t>(ids_.size()); }
  const TfjsWeights::Weight& anchor_boxes() const { return weights_.get(kAnchors); }
  std::int64_t anchors() const { return anchor_boxes().shape.at(1); }

  // Pixels come as the network wants them: 2/255·x − 1 is what comes before.
  void add_input() {
    const std::vector<float>& size = weights_.get(kInputSize, {2});
    const FeatureMap input{"input", 3, static_cast<std::int64_t>(size[0]),
                           static_cast<std::int64_t>(size[1])};
    const float factor = weights_.get("Preprocessor/mul/x", {})[0];
    const float subtracted = weights_.get("Preprocessor/sub/y", {})[0];
    if (std::abs(factor * 127.5F - 1) > 1e-3F || std::abs(subtracted - 1) > 1e-3F)
      graph_.fail(graph_.get(kInput), "expected x · 2/255 − 1, found x · " +
                                          std::to_string(factor) + " − " +
                                          std::to_string(subtracted));
    onnx_.input(input.tensor, ElementType::kFloat32, {-1, 3, input.height, input.width});
    layers_.place(kInput, input);
  }

  // [batch, anchors of a cell · columns, rows, columns] to [batch, anchors, columns].
  std::string table(const Convolution& convolution, std::int64_t columns) {
    const FeatureMap map = layers_.add(convolution);
    const std::string rows = map.tensor + "/rows", shape = map.tensor + "/shape";
    onnx_.node("Transpose", {map.tensor}, {rows}, {{"perm", Numbers{0, 2, 3, 1}}});
    onnx_.constant(shape, {3}, Numbers{0, -1, columns});
    onnx_.node("Reshape", {rows, shape}, {map.tensor + "/table"});
    return map.tensor + "/table";
  }

  std::int64_t anchors_of_cell(const std::string& name, const Convolution& convolution,
                               std::int64_t columns) const {
    if (convolution.outputs % columns != 0)
      graph_.fail(graph_.get(name), "has " + std::to_string(convolution.outputs) +
                                        " channels, expected a multiple of " +
                                        std::to_string(columns));
    return convolution.outputs / columns;
  }

  std::string class_scores(const std::string& name) {
    Convolution convolution = layers_.convolution(name);
    std::vector<Convolution::Pick> picks;
    for (std::int64_t i = 0; i < anchors_of_cell(name, convolution, kIds); ++i)
      for (const std::int64_t id : ids_) picks.push_back({i * kIds + id, 1});
    convolution.pick(picks);
    return table(convolution, kept());
  }

  // The network says y, x, height, width; the result is x, y, width, height, scaled already.
  std::string box_offsets(const std::string& name) {
    Convolution convolution = layers_.convolution(name);
    const float centre = weights_.get(kCentreScale, {})[0], size = weights_.get(kSizeScale, {})[0];
    const std::int64_t count = anchors_of_cell(name, convolution, 4);
    std::vector<Convolution::Pick> picks;
    for (std::int64_t i = 0; i < 4 * count; i += 4)
      for (const Convolution::Pick pick :
           {Convolution::Pick{1, centre}, {0, centre}, {3, size}, {2, size}})
        picks.push_back({i + pick.output, pick.factor});
    convolution.pick(picks);
    found_anchors_ += count * convolution.height * convolution.width;
    return table(convolution, 4);
  }

  void expect_anchors() const {
    const Shape& shape = anchor_boxes().shape;
    if (shape != Shape{1, found_anchors_, 4})
      graph_.fail(graph_.get(kAnchors), "is " + to_string(shape) + ", expected [1," +
                                            std::to_string(found_anchors_) + ",4]");
  }

  // Centre = anchor's centre + offset · anchor's size; size = anchor's size · e^offset.
  void add_decoding() {
    std::vector<float> centres, sizes, halves;
    const std::vector<float>& boxes = anchor_boxes().values;  // top, left, bottom, right
    for (std::size_t i = 0; i < boxes.size(); i += 4)
      for (const std::size_t axis : {1, 0}) {
        const float from = boxes[i + axis], to = boxes[i + axis + 2];
        centres.push_back((from + to) / 2);
        sizes.push_back(to - from);
        halves.push_back((to - from) / 2);
      }
    onnx_.constant("decoded/anchors/centres", {1, anchors(), 2}, centres);
    onnx_.constant("decoded/anchors/sizes", {1, anchors(), 2}, sizes);
    onnx_.constant("decoded/anchors/halves", {1, anchors(), 2}, halves);
    onnx_.constant("decoded/offsets/parts", {2}, Numbers{2, 2});
    onnx_.node("Split", {"decoded/offsets", "decoded/offsets/parts"},
               {"decoded/offsets/centre", "decoded/offsets/size"}, {{"axis", std::int64_t{2}}});
    onnx_.node("Mul", {"decoded/offsets/centre", "decoded/anchors/sizes"}, {"decoded/moved"});
    onnx_.node("Add", {"decoded/moved", "decoded/anchors/centres"}, {"decoded/centre"});
    onnx_.node("Exp", {"decoded/offsets/size"}, {"decoded/grown"});
    onnx_.node("Mul", {"decoded/grown", "decoded/anchors/halves"}, {"decoded/half"});
    onnx_.node("Sub", {"decoded/centre", "decoded/half"}, {"decoded/first"});
    onnx_.node("Add", {"decoded/centre", "decoded/half"}, {"decoded/last"});
    onnx_.node("Concat", {"decoded/first", "decoded/last"}, {"boxes"}, {{"axis", std::int64_t{2}}});
  }

  const TfjsGraph& graph_;
  const TfjsWeights& weights_;
  onnx::Builder onnx_;
  TfjsLayers layers_;
  const Numbers ids_ = used_ids();
  std::int64_t found_anchors_ = 0;
};

}  // namespace

void convert_coco_ssd(const std::filesystem::path& model,
                      std::span<const std::filesystem::path> weights,
                      const std::filesystem::path& onnx_out) {
  const TfjsGraph graph = TfjsGraph::read(model);
  const TfjsWeights read = TfjsWeights::read(model, weights);
  ModelFile::write(onnx_out, CocoSsd(graph, read).file());
}

}  // namespace sightline
