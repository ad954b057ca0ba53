// SPDX-License-Identifier: LGPL-2.1-or-later
//
// RT-DETR, D-FINE and their kin: as many queries as there may be objects, each with a box and a
// score for each class. Nothing overlaps, so nothing is suppressed.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "postprocess/box_table.h"
#include "postprocess/detector.h"
#include "postprocess/family.h"
#include "postprocess/grid.h"
#include "postprocess/labels.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "two outputs, scores [n,classes] before the sigmoid and boxes [n,4] (centre x, centre y, "
    "width, "
    "height; 0 to 1 of the input), or one [n,4+classes] with boxes, then scores of 0 to 1";

constexpr std::int64_t kMostQueries = 1 << 20, kMostClasses = 1 << 16;

// Where a query's numbers are.
struct Layout {
  std::size_t scores = 0, boxes = 0;  // outputs
  std::size_t first = 0;              // column of the first score
  std::size_t columns = 0;            // of `scores`
  std::size_t box_columns = 4;        // of `boxes`
  bool logits = false;

  int classes() const { return static_cast<int>(columns - first); }
};

bool is_table(const Shape& shape) {
  return shape.size() == 2 && shape[0] >= 1 && shape[0] <= kMostQueries && shape[1] >= 1 &&
         shape[1] <= kMostClasses;
}

std::optional<Layout> joined(const NetworkShape& network) {
  const Shape& shape = network.outputs[0].shape;
  if (!is_table(shape) || shape[1] < 5) return std::nullopt;
  const auto columns = static_cast<std::size_t>(shape[1]);
  return Layout{0, 0, 4, columns, columns, false};
}

std::optional<Layout> apart(const NetworkShape& network, std::size_t scores, std::size_t boxes) {
  const Shape &score_shape = network.outputs[scores].shape,
              &box_shape = network.outputs[boxes].shape;
  if (!is_table(score_shape) || !is_table(box_shape) || box_shape[1] != 4 ||
      score_shape[0] != box_shape[0])
    return std::nullopt;
  return Layout{scores, boxes, 0, static_cast<std::size_t>(score_shape[1]), 4, true};
}

// Of two tables with four columns the one called "…box…" has the boxes.
Layout find_layout(const ConfigFile& config, const NetworkShape& network) {
  std::optional<Layout> layout;
  if (network.outputs.size() == 1) layout = joined(network);
  if (network.outputs.size() == 2) {
    const auto in_order = apart(network, 0, 1), swapped = apart(network, 1, 0);
    const bool first_is_box = network.outputs[0].name.find("box") != std::string::npos;
    layout = in_order && swapped ? (first_is_box ? swapped : in_order)
             : in_order          ? in_order
                                 : swapped;
  }
  if (!layout) reject_outputs(config, network, kExpected);
  return *layout;
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

// Below this a sigmoid does not reach `least`, which saves nearly all of them; a little less, for
// its rounding. From 17 on it is 1.
float least_logit(float least) {
  const float logit = std::min(std::log(least / (1 - least)), 17.0f);
  return logit - 1e-3f * std::abs(logit);
}

class Detr final : public Detector {
 public:
  Detr(const ConfigFile& config, const NetworkShape& network)
      : Detr(config, network, find_layout(config, network)) {}

 private:
  Detr(const ConfigFile& config, const NetworkShape& network, const Layout& layout)
      : Detector(config, network, layout.classes(), ClusterMode::kNone), layout_(layout) {}

  // A query may stand for several classes, as in the models' own post-processing.
  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    for (int id = 0; id < classes(); ++id) {
      const float least = threshold(id);
      if (least > 1) continue;
      const auto column = layout_.first + static_cast<std::size_t>(id);
      const float least_value = layout_.logits ? least_logit(least) : least;
      for_each_reaching(outputs[layout_.scores], column, layout_.columns, least_value,
                        [&](std::size_t row, float value) {
                          const float confidence = layout_.logits ? sigmoid(value) : value;
                          if (confidence >= least)
                            found.push_back({confidence, id, static_cast<int>(row), {}});
                        });
    }
  }

  Screening screening() const override {
    ScreenPart part;
    part.rows = static_cast<std::size_t>(network().outputs[layout_.scores].shape[0]);
    part.scores = {layout_.scores, layout_.first, layout_.columns, 1};
    for (const float least : thresholds())
      part.least.push_back(layout_.logits && least <= 1 ? least_logit(least) : least);
    part.beside = {{layout_.boxes, 0, layout_.box_columns, 0, 1, 4}};
    return {part};
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const float* numbers =
        outputs[layout_.boxes].data() + layout_.box_columns * static_cast<std::size_t>(row);
    const auto width = static_cast<float>(network().input.width);
    const auto height = static_cast<float>(network().input.height);
    return centred(numbers[0] * width, numbers[1] * height, numbers[2] * width,
                   numbers[3] * height);
  }

  Layout layout_;
};

const FamilyRegistration registration({{"rt-detr", "d-fine"},
                                       NetworkRole::kDetector,
                                       std::string("boxes of RT-DETR and D-FINE: ") + kExpected,
                                       make_family<Detr>,
                                       [](const ConfigFile& config, const NetworkShape& network) {
                                         if (network.outputs.size() == 2)
                                           return has_output_named(network, "logits") &&
                                                  has_output_named(network, "boxes") && finds([&] {
                                                    return find_layout(config, network);
                                                  });
                                         const auto classes = stated_classes(config);
                                         return is_single_table(network) && classes &&
                                                *classes != 2 &&
                                                network.outputs[0].shape ==
                                                    Shape{kUsualQueries, 4 + *classes};
                                       }});

}  // namespace

}  // namespace sightline
