// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The YOLO detectors as their exporters leave them, with boxes in pixels of the input and scores
// between 0 and 1.

#include <cstdint>
#include <limits>
#include <optional>

#include "postprocess/box_table.h"
#include "postprocess/detector.h"
#include "postprocess/family.h"
#include "postprocess/grid.h"
#include "postprocess/labels.h"

namespace sightline {

namespace {

// The only output as a table of at least so many columns.
BoxTable require_table(const ConfigFile& config, const NetworkShape& network,
                       std::size_t least_columns, const char* expected) {
  const auto table = network.outputs.size() == 1
                         ? find_box_table(network.outputs[0].shape, least_columns)
                         : std::nullopt;
  if (!table) reject_outputs(config, network, expected);
  return *table;
}

// --- YOLOv8 and YOLO11: a score for each class.

constexpr const char* kExpected8 =
    "one output [4+classes,n] or [n,4+classes] with more boxes than columns: centre x, centre y, "
    "width, height in pixels of the input, then a score for each class";

class Yolo8 final : public Detector {
 public:
  Yolo8(const ConfigFile& config, const NetworkShape& network)
      : Yolo8(config, network, require_table(config, network, kBox + 1, kExpected8)) {}

 private:
  static constexpr std::size_t kBox = 4;

  Yolo8(const ConfigFile& config, const NetworkShape& network, const BoxTable& table)
      : Detector(config, network, static_cast<int>(table.columns - kBox)), table_(table) {}

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    find_best_classes(table_, outputs[0], kBox, thresholds(), found);
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    return table_.centred_box(outputs[0], row);
  }

  Screening screening() const override { return {best_classes(table_, 0, kBox, thresholds())}; }

  BoxTable table_;
};

const FamilyRegistration registration8(
    {{"yolov8", "yolo11"},
     NetworkRole::kDetector,
     std::string("boxes of YOLOv8, YOLOv9 and YOLO11, before suppression: ") + kExpected8,
     make_family<Yolo8>,
     [](const ConfigFile& config, const NetworkShape& network) {
       return is_anchor_free_table(network) &&
              network.outputs[0].shape[0] == 4 + stated_classes(config).value_or(1);
     }});

// --- YOLOv5 and YOLOv7: how sure it is of an object at all, and of each class if there is one.

constexpr const char* kExpected5 =
    "one output [n,5+classes] or [5+classes,n] with more boxes than columns: centre x, centre y, "
    "width, height in pixels of the input, the score of an object, then one for each class";

class Yolo5 final : public Detector {
 public:
  Yolo5(const ConfigFile& config, const NetworkShape& network)
      : Yolo5(config, network, require_table(config, network, kClasses + 1, kExpected5)) {}

 private:
  static constexpr std::size_t kObject = 4, kClasses = 5;  // columns

  Yolo5(const ConfigFile& config, const NetworkShape& network, const BoxTable& table)
      : Detector(config, network, static_cast<int>(table.columns - kClasses)), table_(table) {}

  // The product of both counts, so an object that is less sure than every threshold is out.
  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    const std::span<const float> values = outputs[0];
    const std::size_t first = kObject * (table_.by_column ? table_.boxes : 1);
    const std::size_t stride = table_.by_column ? 1 : table_.columns;
    const auto objects =
        table_.by_column ? values.subspan(0, (kObject + 1) * table_.boxes) : values;
    for_each_reaching(objects, first, stride, least_threshold(),
                      [&](std::size_t row, float object) { score(values, row, object, found); });
  }

  void score(std::span<const float> values, std::size_t row, float object,
             std::vector<Candidate>& found) const {
    float best = -1;
    int best_class = 0;
    for (int id = 0; id < classes(); ++id) {
      const float sure = table_.at(values, row, kClasses + static_cast<std::size_t>(id));
      if (sure > best) best = sure, best_class = id;
    }
    const float confidence = object * best;
    if (confidence >= threshold(best_class) && confidence <= std::numeric_limits<float>::max())
      found.push_back({confidence, best_class, static_cast<int>(row), {}});
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    return table_.centred_box(outputs[0], row);
  }

  Screening screening() const override {
    ScreenPart part = best_classes(table_, 0, kClasses, thresholds());
    part.gate = {columns_of(table_, 0, kObject, 1), least_threshold(), true};
    return {part};
  }

  BoxTable table_;
};

const FamilyRegistration registration5(
    {{"yolov5", "yolov7"},
     NetworkRole::kDetector,
     std::string("boxes of YOLOv5 and YOLOv7, before suppression: ") + kExpected5,
     make_family<Yolo5>,
     // Three anchors a cell.
     [](const ConfigFile&, const NetworkShape& network) {
       return is_single_table(network) && network.outputs[0].shape[1] >= 6 &&
              network.outputs[0].shape[0] == 3 * usual_cells(network.input);
     }});

// --- YOLOv10 and YOLO26: suppression is part of the network.

constexpr const char* kExpected10 =
    "one output [n,6]: left, top, right, bottom in pixels of the input, the score, the class";

class Yolo10 final : public Detector {
 public:
  Yolo10(const ConfigFile& config, const NetworkShape& network)
      : Detector(config, checked(config, network), class_count(config), ClusterMode::kNone) {}

 private:
  static constexpr std::size_t kColumns = 6, kScore = 4, kClass = 5;

  static const NetworkShape& checked(const ConfigFile& config, const NetworkShape& network) {
    if (network.outputs.size() != 1 || network.outputs[0].shape.size() != 2 ||
        network.outputs[0].shape[1] != static_cast<std::int64_t>(kColumns))
      reject_outputs(config, network, kExpected10);
    return network;
  }

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    for_each_reaching(outputs[0], kScore, kColumns, least_threshold(),
                      [&](std::size_t row, float confidence) {
                        const float id = outputs[0][row * kColumns + kClass];
                        if (!(id >= 0 && id < static_cast<float>(classes()))) return;
                        const int class_id = static_cast<int>(id);
                        if (confidence >= threshold(class_id))
                          found.push_back({confidence, class_id, static_cast<int>(row), {}});
                      });
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    const float* corners = outputs[0].data() + kColumns * static_cast<std::size_t>(row);
    return {corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1]};
  }
};

const FamilyRegistration registration10(
    {{"yolov10", "yolo26"},
     NetworkRole::kDetector,
     std::string("boxes of YOLOv10 and YOLO26, after suppression: ") + kExpected10,
     make_family<Yolo10>,
     // Rows for the best so many, which are far fewer than cells. Those of an RT-DETR of two
     // classes look alike.
     [](const ConfigFile& config, const NetworkShape& network) {
       return is_single_table(network) && network.outputs[0].shape[1] == 6 &&
              network.outputs[0].shape[0] == kUsualQueries &&
              stated_classes(config).value_or(2) != 2;
     }});

}  // namespace

}  // namespace sightline
