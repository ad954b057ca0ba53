// SPDX-License-Identifier: LGPL-2.1-or-later
//
// YOLOv8 and YOLO11 networks that say more of an object than its box: masks, keypoints, or how it
// is turned. Boxes are in pixels of the input, scores between 0 and 1.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "postprocess/box_table.h"
#include "postprocess/detector.h"
#include "postprocess/family.h"
#include "postprocess/grid.h"
#include "postprocess/labels.h"

namespace sightline {

namespace {

constexpr std::size_t kScores = 4;  // the first column after the box
constexpr std::int64_t kMostPixels = 1 << 13;

// What is `extra` numbers a box beside its corners and at least one score.
BoxTable require_table(const ConfigFile& config, const NetworkShape& network, const Shape& shape,
                       std::size_t extra, const char* expected) {
  const auto table = find_box_table(shape, kScores + 1 + extra);
  if (!table) reject_outputs(config, network, expected);
  return *table;
}

// --- Masks: a box has weights for prototypes, which are pictures of the whole input.

constexpr const char* kExpectedMasks =
    "two outputs: [4+classes+m,n] or [n,4+classes+m] with more boxes than columns (centre x, "
    "centre "
    "y, width, height, a score for each class, m weights) and [m,h,w], the prototypes";

struct MaskOutputs {
  std::size_t boxes = 0, prototypes = 1;

  static MaskOutputs of(const ConfigFile& config, const NetworkShape& network) {
    const auto& outputs = network.outputs;
    if (outputs.size() != 2) reject_outputs(config, network, kExpectedMasks);
    const std::size_t prototypes = outputs[1].shape.size() == 3 ? 1 : 0;
    const Shape& shape = outputs[prototypes].shape;
    const auto is_side = [](std::int64_t side) { return side >= 1 && side <= kMostPixels; };
    if (shape.size() != 3 || !std::ranges::all_of(shape, is_side))
      reject_outputs(config, network, kExpectedMasks);
    return {1 - prototypes, prototypes};
  }
};

class YoloMasks final : public Detector {
 public:
  YoloMasks(const ConfigFile& config, const NetworkShape& network)
      : YoloMasks(config, network, MaskOutputs::of(config, network)) {}

 private:
  YoloMasks(const ConfigFile& config, const NetworkShape& network, MaskOutputs outputs)
      : YoloMasks(config, network, outputs,
                  require_table(config, network, network.outputs[outputs.boxes].shape,
                                weights_in(network, outputs), kExpectedMasks)) {}

  YoloMasks(const ConfigFile& config, const NetworkShape& network, MaskOutputs outputs,
            const BoxTable& table)
      : Detector(config, network,
                 static_cast<int>(table.columns - kScores - weights_in(network, outputs))),
        outputs_(outputs),
        table_(table),
        weights_(weights_in(network, outputs)),
        masks_(wants_masks(config)) {
    if (const auto value = config.find("property", "segmentation-threshold"))
      threshold_ = value->as_float(0, 1);
  }

  static std::size_t weights_in(const NetworkShape& network, const MaskOutputs& outputs) {
    return static_cast<std::size_t>(network.outputs[outputs.prototypes].shape[0]);
  }

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    find_best_classes(table_, outputs[outputs_.boxes], kScores, thresholds(), found);
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    return table_.centred_box(outputs[outputs_.boxes], row);
  }

  // The cells of the prototypes that the box touches; those whose centre lies outside are not the
  // object's.
  void complete(const FloatOutputs& outputs, int row, Detection& detection) const override {
    if (!masks_) return;
    const Shape& shape = network().outputs[outputs_.prototypes].shape;
    const auto rows = static_cast<int>(shape[1]), columns = static_cast<int>(shape[2]);
    const float across = static_cast<float>(network().input.width) / static_cast<float>(columns);
    const float down = static_cast<float>(network().input.height) / static_cast<float>(rows);
    const auto cell = [](float place, float size, int last) {
      return static_cast<int>(std::clamp(place / size, 0.0f, static_cast<float>(last)));
    };
    const Rect& box = detection.box;
    const int left = cell(std::floor(box.x / across), 1, columns);
    const int top = cell(std::floor(box.y / down), 1, rows);
    const int right = cell(std::ceil(box.right() / across), 1, columns);
    const int bottom = cell(std::ceil(box.bottom() / down), 1, rows);
    if (left >= right || top >= bottom) return;

    std::vector<float> mask;
    mask.reserve(static_cast<std::size_t>((right - left) * (bottom - top)));
    for (int y = top; y < bottom; ++y)
      for (int x = left; x < right; ++x) {
        const Point centre{(static_cast<float>(x) + 0.5f) * across,
                           (static_cast<float>(y) + 0.5f) * down};
        const bool inside = centre.x >= box.x && centre.x < box.right() && centre.y >= box.y &&
                            centre.y < box.bottom();
        mask.push_back(inside ? likelihood(outputs, row, y * columns + x) : 0.0f);
      }
    detection.mask =
        Mask{Tensor::copy_of("mask", {bottom - top, right - left}, mask),
             {static_cast<float>(left) * across, static_cast<float>(top) * down,
              static_cast<float>(right - left) * across, static_cast<float>(bottom - top) * down}};
  }

  float likelihood(const FloatOutputs& outputs, int row, int pixel) const {
    const std::span<const float> prototypes = outputs[outputs_.prototypes];
    const std::size_t plane = prototypes.size() / weights_;
    float sum = 0;
    for (std::size_t i = 0; i < weights_; ++i)
      sum += table_.at(outputs[outputs_.boxes], static_cast<std::size_t>(row),
                       table_.columns - weights_ + i) *
             prototypes[i * plane + static_cast<std::size_t>(pixel)];
    if (!std::isfinite(sum)) return 0;
    const float likely = 1 / (1 + std::exp(-sum));
    return likely >= threshold_ ? likely : 0.0f;
  }

  MaskOutputs outputs_;
  BoxTable table_;
  std::size_t weights_;
  bool masks_;
  float threshold_ = 0;  // less likely pixels are not the object's
};

const FamilyRegistration mask_registration(
    {{"yolov8-seg", "yolo11-seg"},
     NetworkRole::kDetector,
     std::string("boxes with masks of YOLOv8 and YOLO11, before suppression: ") + kExpectedMasks,
     make_family<YoloMasks>,
     [](const ConfigFile& config, const NetworkShape& network) {
       if (!finds([&] { return MaskOutputs::of(config, network); })) return false;
       const MaskOutputs outputs = MaskOutputs::of(config, network);
       const Shape& boxes = network.outputs[outputs.boxes].shape;
       return boxes.size() == 2 && boxes[1] == usual_cells(network.input) && boxes[0] < boxes[1] &&
              boxes[0] > 4 + network.outputs[outputs.prototypes].shape[0];
     }});

// --- Keypoints: x, y and how sure, after the scores.

constexpr const char* kExpectedPose =
    "one output [4+classes+3k,n] or [n,4+classes+3k] with more boxes than columns: centre x, "
    "centre "
    "y, width, height, a score for each class (num-detected-classes, 1 if it is not set), then x, "
    "y "
    "and confidence of k keypoints";

class YoloPose final : public Detector {
 public:
  YoloPose(const ConfigFile& config, const NetworkShape& network)
      : YoloPose(config, network, classes_of(config)) {}

 private:
  static constexpr std::size_t kNumbers = 3;  // of a keypoint

  static std::size_t classes_of(const ConfigFile& config) {
    constexpr int kMostClasses = 1 << 16;
    const auto count = config.find("property", "num-detected-classes");
    return count ? static_cast<std::size_t>(count->as_int(1, kMostClasses)) : 1;
  }

  YoloPose(const ConfigFile& config, const NetworkShape& network, std::size_t classes)
      : Detector(config, network, static_cast<int>(classes)), first_(kScores + classes) {
    if (network.outputs.size() != 1) reject_outputs(config, network, kExpectedPose);
    table_ = require_table(config, network, network.outputs[0].shape, classes - 1 + kNumbers,
                           kExpectedPose);
    if ((table_.columns - first_) % kNumbers != 0) reject_outputs(config, network, kExpectedPose);
  }

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    find_best_classes(table_, outputs[0], kScores, thresholds(), found);
  }

  Rect box(const FloatOutputs& outputs, int row) const override {
    return table_.centred_box(outputs[0], row);
  }

  std::vector<Point> landmarks(const FloatOutputs& outputs, int row) const override {
    std::vector<Point> points;
    for (std::size_t column = first_; column < table_.columns; column += kNumbers)
      points.push_back({table_.at(outputs[0], static_cast<std::size_t>(row), column),
                        table_.at(outputs[0], static_cast<std::size_t>(row), column + 1)});
    return points;
  }

  void complete(const FloatOutputs& outputs, int row, Detection& detection) const override {
    for (std::size_t column = first_ + 2; column < table_.columns; column += kNumbers)
      detection.landmark_confidences.push_back(
          table_.at(outputs[0], static_cast<std::size_t>(row), column));
  }

  Screening screening() const override {
    ScreenPart part = best_classes(table_, 0, kScores, thresholds());
    part.beside.push_back(columns_of(table_, 0, first_, table_.columns - first_));
    return {part};
  }

  std::size_t first_;  // column of the first keypoint
  BoxTable table_;
};

const FamilyRegistration pose_registration(
    {{"yolov8-pose", "yolo11-pose"},
     NetworkRole::kDetector,
     std::string("boxes with keypoints of YOLOv8 and YOLO11, before suppression: ") + kExpectedPose,
     make_family<YoloPose>,
     // The points of a person, as COCO has them: other numbers may be classes.
     [](const ConfigFile& config, const NetworkShape& network) {
       return is_anchor_free_table(network) && stated_classes(config) &&
              network.outputs[0].shape[0] == 4 + *stated_classes(config) + 3 * 17;
     }});

// --- Oriented boxes: an angle after the scores.

constexpr const char* kExpectedOriented =
    "one output [4+classes+1,n] or [n,4+classes+1] with more boxes than columns: centre x, centre "
    "y, "
    "width, height, a score for each class, the angle in radians, clockwise";

class YoloOriented final : public Detector {
 public:
  YoloOriented(const ConfigFile& config, const NetworkShape& network)
      : YoloOriented(config, network, table_of(config, network)) {}

 private:
  static BoxTable table_of(const ConfigFile& config, const NetworkShape& network) {
    if (network.outputs.size() != 1) reject_outputs(config, network, kExpectedOriented);
    return require_table(config, network, network.outputs[0].shape, 1, kExpectedOriented);
  }

  YoloOriented(const ConfigFile& config, const NetworkShape& network, const BoxTable& table)
      : Detector(config, network, static_cast<int>(table.columns - kScores - 1)), table_(table) {}

  void find(const FloatOutputs& outputs, std::vector<Candidate>& found) const override {
    find_best_classes(table_, outputs[0], kScores, thresholds(), found);
  }

  // Around the corners, so that the next network sees all of it.
  Rect box(const FloatOutputs& outputs, int row) const override {
    return bounds(*oriented_box(outputs, row));
  }

  std::optional<OrientedBox> oriented_box(const FloatOutputs& outputs, int row) const override {
    return turned(table_.centred_box(outputs[0], row),
                  table_.at(outputs[0], static_cast<std::size_t>(row), table_.columns - 1));
  }

  Screening screening() const override {
    ScreenPart part = best_classes(table_, 0, kScores, thresholds());
    part.beside.push_back(columns_of(table_, 0, table_.columns - 1, 1));
    return {part};
  }

  BoxTable table_;
};

const FamilyRegistration oriented_registration(
    {{"yolov8-obb", "yolo11-obb"},
     NetworkRole::kDetector,
     std::string("oriented boxes of YOLOv8 and YOLO11, before suppression: ") + kExpectedOriented,
     make_family<YoloOriented>,
     [](const ConfigFile& config, const NetworkShape& network) {
       return is_anchor_free_table(network) && stated_classes(config) &&
              network.outputs[0].shape[0] == 4 + *stated_classes(config) + 1;
     }});

}  // namespace

}  // namespace sightline
