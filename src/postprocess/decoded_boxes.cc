// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Boxes that the network has decoded itself: Ultra-Light face detectors, and SSD graphs that end
// the same way.

#include <algorithm>
#include <optional>
#include <utility>

#include "postprocess/detector.h"
#include "postprocess/family.h"
#include "postprocess/grid.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "two outputs: scores [n,1+classes] (class 0 is the background, softmax applied) and boxes "
    "[n,4] (left, top, right, bottom; 0 to 1 of the input)";

struct Layout {
  std::size_t scores, boxes;
  std::size_t columns;  // of `scores`
};

// Rows and classes are counted in int, and a class takes some memory of ours.
constexpr std::int64_t kMostRows = 1 << 30, kMostColumns = 1 << 16;

bool is_table(const Shape& shape) {
  return shape.size() == 2 && shape[0] <= kMostRows && shape[1] <= kMostColumns;
}

bool is_same_or_open(std::int64_t a, std::int64_t b) { return a == b || a < 0 || b < 0; }

std::optional<Layout> as_layout(const NetworkShape& network, std::size_t scores,
                                std::size_t boxes) {
  const Shape& score_shape = network.outputs[scores].shape;
  const Shape& box_shape = network.outputs[boxes].shape;
  if (!is_table(score_shape) || !is_table(box_shape)) return std::nullopt;
  if (box_shape[1] != 4 || score_shape[1] < 2) return std::nullopt;
  if (!is_same_or_open(score_shape[0], box_shape[0])) return std::nullopt;
  return Layout{scores, boxes, static_cast<std::size_t>(score_shape[1])};
}

// By shape; of two tables with four columns the one called "box…" has the boxes.
Layout find_layout(const ConfigFile& config, const NetworkShape& network) {
  if (network.outputs.size() != 2) reject_outputs(config, network, kExpected);
  const auto in_order = as_layout(network, 0, 1), swapped = as_layout(network, 1, 0);
  if (in_order && swapped) {
    const auto says_box = [&](std::size_t i) {
      return network.outputs[i].name.find("box") != std::string::npos;
    };
    if (says_box(0) == says_box(1))
      reject_outputs(config, network,
                     std::string(kExpected) + ", the one with \"box\" in its name being the boxes");
    return says_box(1) ? *in_order : *swapped;
  }
  if (!in_order && !swapped) reject_outputs(config, network, kExpected);
  return in_order ? *in_order : *swapped;
}

// Ultra-Light's anchors, and one class.
bool has_ultra_light_rows(const NetworkShape& network) {
  std::int64_t rows = 0;
  for (const auto& [stride, anchors] : {std::pair{8, 3}, {16, 2}, {32, 2}, {64, 3}})
    rows += anchors * cells_of(network.input, stride);
  return std::ranges::any_of(network.outputs, [&](const auto& output) {
    return output.shape == Shape{rows, 2};
  });
}

class DecodedBoxes final : public Detector {
 public:
  DecodedBoxes(const ConfigFile& config, const NetworkShape& network)
      : DecodedBoxes(config, network, find_layout(config, network)) {}

 private:
  DecodedBoxes(const ConfigFile& config, const NetworkShape& network, Layout layout)
      : Detector(config, network, static_cast<int>(layout.columns) - 1), layout_(layout) {}

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    if (outputs.shape(layout_.scores)[0] != outputs.shape(layout_.boxes)[0])
      throw Error(ErrorCode::kModel, "the network gave scores " +
                                         to_string(outputs.shape(layout_.scores)) + " and boxes " +
                                         to_string(outputs.shape(layout_.boxes)) +
                                         ", expected as many rows in both");
    for (int id = 0; id < classes(); ++id) {
      const auto column = static_cast<std::size_t>(id) + 1;
      for_each_reaching(outputs[layout_.scores], column, layout_.columns, threshold(id),
                        [&](std::size_t row, float confidence) {
                          found.push_back({confidence, id, static_cast<int>(row), {}});
                        });
    }
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const float* corners = outputs[layout_.boxes].data() + 4 * static_cast<std::size_t>(row);
    const auto width = static_cast<float>(network().input.width);
    const auto height = static_cast<float>(network().input.height);
    const float left = corners[0] * width, top = corners[1] * height;
    return {left, top, corners[2] * width - left, corners[3] * height - top};
  }

  Screening screening() const override {
    const std::int64_t rows = network().outputs[layout_.scores].shape[0];
    if (rows < 0) return {};
    ScreenPart part;
    part.rows = static_cast<std::size_t>(rows);
    part.scores = {layout_.scores, 1, layout_.columns, 1};
    part.least.assign(thresholds().begin(), thresholds().end());
    part.beside = {{layout_.boxes, 0, 4, 0, 1, 4}};
    return {part};
  }

  Layout layout_;
};

const FamilyRegistration registration(
    {{"ultra-light", "decoded-boxes"},
     NetworkRole::kDetector,
     std::string("boxes that the network has decoded: ") + kExpected,
     make_family<DecodedBoxes>,
     [](const ConfigFile& config, const NetworkShape& network) {
       return finds([&] { return find_layout(config, network); }) && has_ultra_light_rows(network);
     }});

}  // namespace

}  // namespace sightline
