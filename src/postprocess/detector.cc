// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/detector.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "postprocess/labels.h"
#include "postprocess/nvinfer_rules.h"

namespace sightline {

namespace {

// Beyond this a coordinate is no place in a picture, and areas would leave the range of a float.
constexpr float kFarthest = 1e6f;

bool is_plausible(const Rect& box) {
  const auto near = [](float value) { return std::abs(value) <= kFarthest; };  // false for NaN
  return !box.empty() && near(box.x) && near(box.y) && near(box.width) && near(box.height);
}

bool is_plausible(std::span<const Point> points) {
  return std::all_of(points.begin(), points.end(), [](const Point& point) {
    return std::abs(point.x) <= kFarthest && std::abs(point.y) <= kFarthest;
  });
}

void drop_implausible(Detection& detection) {
  const bool are_sure = std::ranges::all_of(detection.landmark_confidences,
                                            [](float value) { return std::isfinite(value); });
  if (!is_plausible(detection.landmarks)) detection.landmarks.clear();
  if (!are_sure || detection.landmarks.empty()) detection.landmark_confidences.clear();
  if (detection.corners && !is_plausible(*detection.corners)) detection.corners.reset();
  if (detection.mask && !is_plausible(detection.mask->area)) detection.mask.reset();
}

Clustering read_clustering(const ConfigFile& config, ClusterMode usual) {
  Clustering clustering{usual, false};
  if (const auto value = config.find("property", "cluster-mode"))
    clustering.mode =
        value->as_one_of<ClusterMode>({{"0", ClusterMode::kGroupRectangles},
                                       {"group-rectangles", ClusterMode::kGroupRectangles},
                                       {"1", ClusterMode::kDbscan},
                                       {"dbscan", ClusterMode::kDbscan},
                                       {"2", ClusterMode::kNms},
                                       {"nms", ClusterMode::kNms},
                                       {"3", ClusterMode::kHybrid},
                                       {"hybrid", ClusterMode::kHybrid},
                                       {"4", ClusterMode::kNone},
                                       {"none", ClusterMode::kNone}});
  if (const auto value = config.find("property", "nms-class-agnostic")) {
    clustering.class_agnostic = value->as_bool();
    if (clustering.class_agnostic && !clustering.suppresses())
      value->fail("is for cluster-mode = nms and hybrid");
  }
  return clustering;
}

// The N of "class-attrs-N".
std::optional<int> class_of(std::string_view group) {
  constexpr std::string_view kPrefix = "class-attrs-";
  if (!group.starts_with(kPrefix)) return std::nullopt;
  group.remove_prefix(kPrefix.size());
  int id = -1;
  const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), id);
  if (error != std::errc{} || end != group.data() + group.size() || id < 0) return std::nullopt;
  return id;
}

// By the new name or the old one. For nvinfer the later of the two counts, and a threshold above 1
// is how its files say that a class is never to be found.
void read_pre_threshold(const ConfigFile& config, const std::string& group, float& threshold) {
  const auto named = config.find(group, "pre-cluster-threshold"),
             alias = config.find(group, "threshold");
  if (!named && !alias) return;
  bool alias_counts = alias.has_value();
  if (named && alias) {
    const auto keys = config.keys(group);
    alias_counts =
        std::ranges::find(keys, "threshold") > std::ranges::find(keys, "pre-cluster-threshold");
    complain_or_remark(config, *alias,
                       alias_counts
                           ? "is another name of pre-cluster-threshold, which is set too; keep one"
                           : "is another name of pre-cluster-threshold, which is set later and "
                             "counts; keep one");
  }
  constexpr float kMost = 1e6f;
  threshold = (alias_counts ? alias : named)->as_float(0, is_read_as_nvinfers(config) ? kMost : 1);
}

// Lays the keys of one group over `limits`.
void read_group(const ConfigFile& config, const std::string& group, const Clustering& clustering,
                ClassLimits& limits) {
  constexpr float kMostPixels = 1e6f;
  constexpr int kMostRows = 1 << 30;
  const auto number = [&](const char* key, float largest, float& target) {
    if (const auto value = config.find(group, key)) target = value->as_float(0, largest);
  };
  const auto upper = [&](const char* key, float& target) {
    const auto value = config.find(group, key);
    if (!value) return;
    target = value->as_float(0, kMostPixels);
    if (target == 0) target = std::numeric_limits<float>::infinity();  // nvinfer: 0 is no limit
  };

  read_pre_threshold(config, group, limits.pre_threshold);
  number("post-cluster-threshold", 1, limits.post_threshold);
  // What clusters of another kind are made by. Under nvinfer's rules it is left unread, which
  // whoever joins the rooms says of all such keys at once.
  const auto only_for = [&](const char* key, bool has_meaning, const char* modes, auto read) {
    if (!has_meaning && is_read_as_nvinfers(config)) return;
    const auto value = config.find(group, key);
    if (!value) return;
    if (!has_meaning) value->fail(std::string("has no meaning but with cluster-mode = ") + modes);
    read(*value);
  };
  only_for("nms-iou-threshold", clustering.suppresses(), "nms or hybrid",
           [&](const ConfigValue& value) { limits.iou_threshold = value.as_float(0, 1); });
  only_for("eps", clustering.joins(), "dbscan, hybrid or group-rectangles",
           [&](const ConfigValue& value) { limits.eps = value.as_float(0, 10); });
  only_for("minBoxes", clustering.is_dense(), "dbscan or hybrid",
           [&](const ConfigValue& value) { limits.min_boxes = value.as_int(0, kMostRows); });
  only_for("dbscan-min-score", clustering.is_dense(), "dbscan or hybrid",
           [&](const ConfigValue& value) { limits.min_score = value.as_float(0, kMostPixels); });
  only_for("group-threshold", clustering.mode == ClusterMode::kGroupRectangles, "group-rectangles",
           [&](const ConfigValue& value) { limits.group_threshold = value.as_int(0, kMostRows); });
  if (const auto value = config.find(group, "topk")) limits.topk = value->as_int(-1, kMostRows);
  number("detected-min-w", kMostPixels, limits.min_width);
  number("detected-min-h", kMostPixels, limits.min_height);
  upper("detected-max-w", limits.max_width);
  upper("detected-max-h", limits.max_height);
  number("roi-top-offset", kMostPixels, limits.roi_top);
  number("roi-bottom-offset", kMostPixels, limits.roi_bottom);
}

// What of `box` lies in the rows that a class may be in.
Rect cut_to_roi(const ClassLimits& limits, Rect box, Size frame) {
  const float end = static_cast<float>(frame.height) - limits.roi_bottom;
  const float bottom = limits.roi_bottom > 0 ? std::min(box.bottom(), end) : box.bottom();
  if (limits.roi_top > 0) box.y = std::max(box.y, limits.roi_top);
  box.height = bottom - box.y;
  return box;
}

}  // namespace

int Detector::class_count(const ConfigFile& config) {
  if (const auto count = stated_classes(config)) return *count;
  throw Error(ErrorCode::kConfig,
              config.name() +
                  ": the network's outputs do not say how many classes it tells apart: set "
                  "num-detected-classes or labels in [property]");
}

bool Detector::wants_masks(const ConfigFile& config) {
  const auto value = config.find("property", "output-instance-mask");
  return !value || value->as_bool();
}

Detector::Detector(const ConfigFile& config, NetworkShape network, int classes, ClusterMode usual)
    : network_(std::move(network)), clustering_(read_clustering(config, usual)) {
  require_float_outputs(config, network_);
  if (const auto value = config.find("property", "num-detected-classes")) {
    const int wanted = value->as_int(1, std::numeric_limits<int>::max());
    if (wanted > classes)
      complain_or_remark(
          config, *value,
          "the network tells apart " + std::to_string(classes) + " (without a background)");
    classes = std::min(wanted, classes);
  }
  limits_.resize(static_cast<std::size_t>(classes));
  read_labels_of(config);
  read_limits(config);
  filter_out(config);
  if (const auto value = config.find("property", "crop-objects-to-roi-boundary"))
    cuts_to_roi_ = value->as_bool();
  for (const ClassLimits& limits : limits_) thresholds_.push_back(limits.pre_threshold);
  least_threshold_ = *std::ranges::min_element(thresholds_);
}

void Detector::read_labels_of(const ConfigFile& config) {
  const auto given = read_labels(config);
  if (!given) {
    for (int i = 0; i < classes(); ++i) labels_.push_back("class " + std::to_string(i));
    return;
  }
  for (const auto& line : given->lines) labels_.insert(labels_.end(), line.begin(), line.end());
  fit_labels(config, given->origin, limits_.size(), labels_);
}

void Detector::read_limits(const ConfigFile& config) {
  ClassLimits all;
  read_group(config, "class-attrs-all", clustering_, all);
  std::fill(limits_.begin(), limits_.end(), all);
  for (const std::string& group : config.groups()) {
    const auto id = class_of(group);
    if (!id) continue;
    if (*id >= classes())
      throw Error(ErrorCode::kConfig, config.name() + ": [" + group + "]: the network has " +
                                          std::to_string(classes()) + " classes, numbered from 0");
    read_group(config, group, clustering_, limits_[static_cast<std::size_t>(*id)]);
  }
}

void Detector::filter_out(const ConfigFile& config) {
  const auto value = config.find("property", "filter-out-class-ids");
  if (!value) return;
  for (const int id : value->as_ints()) {
    if (id < 0 || id >= classes()) {
      complain_or_remark(config, *value,
                         "expected class ids from 0 to " + std::to_string(classes() - 1));
      continue;
    }
    limits_[static_cast<std::size_t>(id)].pre_threshold = std::numeric_limits<float>::infinity();
  }
}

void Detector::find(const FloatOutputs&, std::vector<Candidate>&) const {}

Rect Detector::box(const FloatOutputs&, int) const { return {}; }

Results Detector::decode(std::span<const Tensor> outputs) const {
  const FloatOutputs values(outputs, network_);
  std::vector<Candidate> candidates;
  find(values, candidates);
  keep_strongest(candidates);
  for (Candidate& candidate : candidates) candidate.box = box(values, candidate.row);
  Overlap overlap;
  if (!candidates.empty() && oriented_box(values, candidates.front().row))
    overlap = [&](const Candidate& a, const Candidate& b) {
      return iou(*oriented_box(values, a.row), *oriented_box(values, b.row));
    };
  return finish(
      std::move(candidates),
      [&](const Candidate& survivor, Detection& detection) {
        detection.landmarks = landmarks(values, survivor.row);
        detection.corners = oriented_box(values, survivor.row);
        complete(values, survivor.row, detection);
      },
      overlap);
}

Results Detector::finish(std::vector<Candidate> candidates, const Complete& complete,
                         const Overlap& overlap) const {
  std::erase_if(candidates,
                [](const Candidate& candidate) { return !is_plausible(candidate.box); });
  Results results;
  for (const Candidate& survivor : cluster(std::move(candidates), limits_, clustering_, overlap)) {
    if (survivor.box.empty()) continue;  // a mean of tiny ones, rounded
    Detection& detection = results.detections.emplace_back();
    detection.box = survivor.box;
    detection.confidence = survivor.confidence;
    detection.class_id = survivor.class_id;
    detection.label = labels_[static_cast<std::size_t>(survivor.class_id)];
    detection.row = survivor.row;
    complete(survivor, detection);
    drop_implausible(detection);
  }
  return results;
}

std::optional<Rect> Detector::admitted(int class_id, const Rect& box, Size frame) const {
  if (class_id < 0 || class_id >= classes()) return std::nullopt;
  const ClassLimits& limits = limits_[static_cast<std::size_t>(class_id)];
  const bool fits = box.width >= limits.min_width && box.width <= limits.max_width &&
                    box.height >= limits.min_height && box.height <= limits.max_height;
  if (!fits) return std::nullopt;
  const bool leaves_roi = (limits.roi_top > 0 && box.y < limits.roi_top) ||
                          (limits.roi_bottom > 0 &&
                           box.bottom() > static_cast<float>(frame.height) - limits.roi_bottom);
  if (!leaves_roi) return box;
  if (!cuts_to_roi_) return std::nullopt;
  const Rect cut = cut_to_roi(limits, box, frame);
  return cut.empty() ? std::nullopt : std::optional(cut);
}

}  // namespace sightline
