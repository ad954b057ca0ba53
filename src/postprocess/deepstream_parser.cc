// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parsers that were written for DeepStream, one class a kind of function.

#include <algorithm>
#include <cmath>
#include <optional>

#include <climits>

#include "postprocess/class_map.h"
#include "postprocess/deepstream_layers.h"
#include "postprocess/foreign_detector.h"
#include "postprocess/foreign_parsers.h"
#include "postprocess/labels.h"
#include "postprocess/outputs.h"

namespace sightline {

namespace {

// --- Boxes, with masks or without.

class DeepStreamDetector : public ForeignDetector {
 protected:
  DeepStreamDetector(const ConfigFile& config, const NetworkShape& network,
                     const ConfigValue& function)
      : DeepStreamDetector(config, network, DeepStreamFunction(config, network, function)) {}

  // Objects as the function leaves them.
  template <typename Function, typename Info>
  void parse(std::span<const Tensor> outputs, std::vector<Info>& found) const {
    const DeepStreamLayers layers(outputs, network());
    NvDsInferParseDetectionParams params;
    params.numClassesConfigured = static_cast<unsigned int>(classes());
    params.perClassPreclusterThreshold.assign(thresholds().begin(), thresholds().end());
    for (const ClassLimits& limit : limits())
      params.perClassPostclusterThreshold.push_back(limit.post_threshold);
    function_.call<Function>(layers.infos(), function_.network_info(), params, found);
    if (found.size() > kMostForeignObjects)
      parser().fail("found " + std::to_string(found.size()) + " objects, expected at most " +
                    std::to_string(kMostForeignObjects));
  }

  // Box, class and confidence of object `index`; nothing if it is below the threshold.
  template <typename Info>
  std::optional<Detection> read_box(std::size_t index, const Info& info) const {
    if (!reaches_threshold(index, info.detectionConfidence, info.classId)) return std::nullopt;
    Detection object{{info.left, info.top, info.width, info.height},
                     info.detectionConfidence,
                     static_cast<int>(info.classId)};
    check(index, object);
    return object;
  }

 private:
  DeepStreamDetector(const ConfigFile& config, const NetworkShape& network,
                     DeepStreamFunction function)
      : ForeignDetector(config, network, function.parser()), function_(std::move(function)) {}

  DeepStreamFunction function_;
};

class DeepStreamBoxes final : public DeepStreamDetector {
 public:
  DeepStreamBoxes(const ConfigFile& config, const NetworkShape& network,
                  const ConfigValue& function)
      : DeepStreamDetector(config, network, function) {}

  Results decode(std::span<const Tensor> outputs) const override {
    std::vector<NvDsInferObjectDetectionInfo> found;
    parse<NvDsInferParseCustomFunc>(outputs, found);
    std::vector<Detection> objects;
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto object = read_box(i, found[i]);
      if (!object) continue;
      if (found[i].rotation_angle != 0) turn(i, found[i].rotation_angle, *object);
      objects.push_back(*std::move(object));
    }
    return survivors(std::move(objects));
  }

 private:
  void turn(std::size_t index, float radians, Detection& object) const {
    if (!std::isfinite(radians)) fail(index, "its rotation_angle is no finite number");
    object.corners = turned(object.box, radians);
    object.box = bounds(*object.corners);
  }
};

// What a function leaves is ours to free, whatever happens to it.
struct FoundMasks {
  std::vector<NvDsInferInstanceMaskInfo> objects;

  FoundMasks() = default;
  FoundMasks(const FoundMasks&) = delete;
  FoundMasks& operator=(const FoundMasks&) = delete;
  ~FoundMasks() {
    for (const NvDsInferInstanceMaskInfo& object : objects) delete[] object.mask;
  }
};

class DeepStreamMasks final : public DeepStreamDetector {
 public:
  DeepStreamMasks(const ConfigFile& config, const NetworkShape& network,
                  const ConfigValue& function)
      : DeepStreamDetector(config, network, function) {
    if (const auto value = config.find("property", "segmentation-threshold"))
      threshold_ = value->as_float(0, 1);
  }

  Results decode(std::span<const Tensor> outputs) const override {
    FoundMasks found;
    parse<NvDsInferInstanceMaskParseCustomFunc>(outputs, found.objects);
    std::vector<Detection> objects;
    for (std::size_t i = 0; i < found.objects.size(); ++i) {
      auto object = read_box(i, found.objects[i]);
      if (!object) continue;
      const NvDsInferInstanceMaskInfo& info = found.objects[i];
      if (holds_keypoints(info))
        read_keypoints(info, *object);
      else if (info.mask != nullptr || info.mask_size > 0)
        object->mask = mask_of(i, info, object->box);
      check(i, *object);
      objects.push_back(*std::move(object));
    }
    return survivors(std::move(objects));
  }

 private:
  static constexpr std::size_t kNumbers = 3;  // of a keypoint: x, y, confidence

  // The interface has no keypoints. Parsers for poses put them where the mask would be, and say
  // that the mask is as large as the network's input.
  bool holds_keypoints(const NvDsInferInstanceMaskInfo& info) const {
    constexpr std::size_t kBytes = kNumbers * sizeof(float);
    return info.mask != nullptr && info.mask_size > 0 && info.mask_size % kBytes == 0 &&
           info.mask_size / kBytes <= kMostForeignLandmarks &&
           info.mask_width == static_cast<unsigned int>(network().input.width) &&
           info.mask_height == static_cast<unsigned int>(network().input.height) &&
           info.mask_size < std::size_t{info.mask_width} * info.mask_height * sizeof(float);
  }

  static void read_keypoints(const NvDsInferInstanceMaskInfo& info, Detection& object) {
    for (std::size_t i = 0; i < info.mask_size / sizeof(float); i += kNumbers) {
      object.landmarks.push_back({info.mask[i], info.mask[i + 1]});
      object.landmark_confidences.push_back(info.mask[i + 2]);
    }
  }

  Mask mask_of(std::size_t index, const NvDsInferInstanceMaskInfo& info, const Rect& box) const {
    const std::size_t bytes = std::size_t{info.mask_width} * info.mask_height * sizeof(float);
    if (info.mask_size != bytes)
      fail(index, "its mask is " + std::to_string(info.mask_width) + " × " +
                      std::to_string(info.mask_height) + " floats, " + std::to_string(bytes) +
                      " bytes, and mask_size says " + std::to_string(info.mask_size));
    Mask mask = read_mask(index, info.mask, info.mask_width, info.mask_height, box);
    if (!threshold_) return mask;
    std::vector<float> decided;
    for (const float value : mask.values.floats()) decided.push_back(value >= *threshold_ ? 1 : 0);
    return {Tensor::copy_of("mask", mask.values.shape, decided), box};
  }

  std::optional<float> threshold_;  // from which a pixel is the object's
};

// --- Labels.

class DeepStreamClassifier final : public Postprocessor {
 public:
  DeepStreamClassifier(const ConfigFile& config, const NetworkShape& network,
                       const ConfigValue& function)
      : network_(network), function_(config, network, function) {
    if (const auto value = config.find("property", "classifier-threshold"))
      threshold_ = value->as_float(0, 1);
    if (const auto value = config.find("property", "classifier-type")) types_ = value->as_strings();
    if (const auto labels = read_labels(config)) labels_ = labels->lines;
    const auto rule = config.peek("property", "unlabelled-classes");
    drops_unlabelled_ = rule && rule->text() == "drop";
  }

  NetworkRole role() const override { return NetworkRole::kClassifier; }

  Results decode(std::span<const Tensor> outputs) const override {
    const DeepStreamLayers layers(outputs, network_);
    FoundAttributes found;
    std::string description;
    function_.call<NvDsInferClassiferParseCustomFunc>(layers.infos(), function_.network_info(),
                                                      threshold_, found.attributes, description);
    if (found.attributes.size() > kMostAttributes)
      function_.parser().fail("gave " + std::to_string(found.attributes.size()) +
                              " attributes, expected at most " + std::to_string(kMostAttributes));
    Results results;
    for (const NvDsInferAttribute& attribute : found.attributes)
      results.classifications.push_back(classification_of(attribute));
    return results;
  }

 private:
  static constexpr std::size_t kMostAttributes = 4096;

  struct FoundAttributes {
    std::vector<NvDsInferAttribute> attributes;

    FoundAttributes() = default;
    FoundAttributes(const FoundAttributes&) = delete;
    FoundAttributes& operator=(const FoundAttributes&) = delete;
    ~FoundAttributes() {
      for (const NvDsInferAttribute& attribute : attributes) std::free(attribute.attributeLabel);
    }
  };

  Classification classification_of(const NvDsInferAttribute& attribute) const {
    const std::string name = "attribute " + std::to_string(attribute.attributeIndex);
    if (!std::isfinite(attribute.attributeConfidence))
      function_.parser().fail(name + ": attributeConfidence is no finite number");
    if (attribute.attributeIndex > INT_MAX || attribute.attributeValue > INT_MAX)
      function_.parser().fail(name + ": attributeValue " +
                              std::to_string(attribute.attributeValue) + ", expected a class");
    return {attribute_name(attribute.attributeIndex), label_of(attribute),
            static_cast<int>(attribute.attributeValue), attribute.attributeConfidence};
  }

  // nvinfer has one name for all attributes; a list of names has one for each.
  std::string attribute_name(std::size_t index) const {
    if (types_.size() == 1) return types_.front();
    if (index < types_.size()) return types_[index];
    if (index < network_.outputs.size()) return network_.outputs[index].name;
    return "attribute " + std::to_string(index);
  }

  // What the function says, else what the configuration says of this class.
  std::string label_of(const NvDsInferAttribute& attribute) const {
    if (attribute.attributeLabel != nullptr) return attribute.attributeLabel;
    if (attribute.attributeIndex < labels_.size() &&
        attribute.attributeValue < labels_[attribute.attributeIndex].size())
      return labels_[attribute.attributeIndex][attribute.attributeValue];
    return drops_unlabelled_ ? "" : "class " + std::to_string(attribute.attributeValue);
  }

  NetworkShape network_;
  DeepStreamFunction function_;
  float threshold_ = 0;
  std::vector<std::string> types_;
  std::vector<std::vector<std::string>> labels_;  // a line an attribute
  bool drops_unlabelled_ = false;
};

// --- A class for each pixel.

class DeepStreamSegmentation final : public Postprocessor {
 public:
  DeepStreamSegmentation(const ConfigFile& config, const NetworkShape& network,
                         const ConfigValue& function)
      : network_(network), function_(config, network, function) {
    constexpr int kMostClasses = 1 << 16;
    if (const auto value = config.find("property", "segmentation-threshold"))
      threshold_ = value->as_float(0, 1);
    if (const auto value = config.find("property", "segmentation-output-order"))
      by_pixel_ =
          value->as_one_of<bool>({{"0", false}, {"nchw", false}, {"1", true}, {"nhwc", true}});
    if (const auto value = config.find("property", "num-detected-classes"))
      classes_ = static_cast<std::size_t>(value->as_int(1, kMostClasses));
    if (const auto labels = read_labels(config); labels && classes_ == 0)
      for (const auto& line : labels->lines) classes_ += line.size();
    if (classes_ == 0)
      throw Error(ErrorCode::kConfig,
                  config.name() + ": " + function.text() +
                      "() needs to know how many classes there are: set num-detected-classes");
    names_ = read_class_names(config, classes_);
  }

  NetworkRole role() const override { return NetworkRole::kSegmentation; }

  Results decode(std::span<const Tensor> outputs) const override {
    const DeepStreamLayers layers(outputs, network_);
    if (layers.infos().empty()) function_.parser().fail("the network has no output");
    const Extent of_input{network_.input.height, network_.input.width};
    const Extent of_output = extent_of(layers.infos().front().inferDims).value_or(of_input);
    const Extent& larger = of_input.pixels() > of_output.pixels() ? of_input : of_output;
    const Extent& smaller = &larger == &of_input ? of_output : of_input;

    auto map = std::make_shared<std::vector<std::int32_t>>(larger.pixels(), kUntouched);
    auto* probabilities = static_cast<float*>(layers.infos().front().buffer);
    function_.call<NvDsInferSemSegmentationParseCustomFunc>(
        layers.infos(), function_.network_info(), threshold_, static_cast<unsigned int>(classes_),
        map->data(), probabilities);
    // Some fill it in the size of the input, others in that of the output.
    const Extent& filled = map->back() != kUntouched ? larger : smaller;
    map->resize(filled.pixels());
    check_classes(*map);
    std::vector<float> confidences;
    if (probabilities == layers.infos().front().buffer)
      confidences = confidences_of(layers.infos().front(), filled, *map);
    return results_of({filled.height, filled.width, std::move(map), std::move(confidences)},
                      names_);
  }

 private:
  static constexpr std::int32_t kUntouched = INT_MIN;
  static constexpr std::int64_t kMostPixels = 1 << 26;

  struct Extent {
    std::int64_t height, width;
    std::size_t pixels() const { return static_cast<std::size_t>(height * width); }
  };

  // Of a map [h,w], or of scores [classes,h,w] or [h,w,classes]; nothing if it is none.
  std::optional<Extent> extent_of(const NvDsInferDims& dims) const {
    if (dims.numDims != 2 && dims.numDims != 3) return std::nullopt;
    const unsigned int first = dims.numDims == 3 && !by_pixel_ ? 1 : 0;
    const Extent extent{dims.d[first], dims.d[first + 1]};
    if (extent.height < 1 || extent.width < 1 || extent.height > kMostPixels ||
        extent.width > kMostPixels || extent.height * extent.width > kMostPixels)
      return std::nullopt;
    return extent;
  }

  void check_classes(std::vector<std::int32_t>& map) const {
    for (std::size_t i = 0; i < map.size(); ++i) {
      if (map[i] == kUntouched) map[i] = kNoClass;
      if (map[i] < kNoClass || (map[i] >= 0 && static_cast<std::size_t>(map[i]) >= classes_))
        function_.parser().fail("pixel " + std::to_string(i) + " is of class " +
                                std::to_string(map[i]) + ", expected -1 to " +
                                std::to_string(classes_ - 1) + " (num-detected-classes)");
    }
  }

  // What the output says of each pixel's class, if it is a score for each class and pixel.
  std::vector<float> confidences_of(const NvDsInferLayerInfo& scores, const Extent& filled,
                                    const std::vector<std::int32_t>& map) const {
    const NvDsInferDims& dims = scores.inferDims;
    const Extent extent = extent_of(dims).value_or(Extent{0, 0});
    const std::size_t channels = dims.d[by_pixel_ ? 2 : 0];
    if (scores.dataType != FLOAT || dims.numDims != 3 || extent.height != filled.height ||
        extent.width != filled.width || channels < classes_)
      return {};
    const auto* const values = static_cast<const float*>(scores.buffer);
    std::vector<float> confidences(map.size());
    for (std::size_t pixel = 0; pixel < map.size(); ++pixel) {
      if (map[pixel] == kNoClass) continue;
      const auto id = static_cast<std::size_t>(map[pixel]);
      const float score = values[by_pixel_ ? pixel * channels + id : id * map.size() + pixel];
      confidences[pixel] = std::isfinite(score) ? score : 0;
    }
    return confidences;
  }

  NetworkShape network_;
  DeepStreamFunction function_;
  float threshold_ = 0;
  bool by_pixel_ = false;
  std::size_t classes_ = 0;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Postprocessor> make_deepstream_parser(const ConfigFile& config,
                                                      const NetworkShape& network,
                                                      DeepStreamParser kind,
                                                      const ConfigValue& function) {
  switch (kind) {
    case DeepStreamParser::kBoxes:
      return std::make_unique<DeepStreamBoxes>(config, network, function);
    case DeepStreamParser::kMasks:
      return std::make_unique<DeepStreamMasks>(config, network, function);
    case DeepStreamParser::kClassifier:
      return std::make_unique<DeepStreamClassifier>(config, network, function);
    case DeepStreamParser::kSegmentation:
      break;
  }
  return std::make_unique<DeepStreamSegmentation>(config, network, function);
}

}  // namespace sightline
