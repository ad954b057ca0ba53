// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A class for each pixel: the strongest of several, or, of one, where it reaches a threshold.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "postprocess/class_map.h"
#include "postprocess/family.h"
#include "postprocess/labels.h"
#include "postprocess/outputs.h"

namespace sightline {

namespace {

constexpr const char* kExpected =
    "one output [classes,h,w], or [h,w,classes] with segmentation-output-order = nhwc: a score for "
    "each class, or of one class how likely it is, 0 to 1";
constexpr std::int64_t kMostPixels = 1 << 26, kMostClasses = 1 << 16;

class Segmentation final : public Postprocessor {
 public:
  Segmentation(const ConfigFile& config, const NetworkShape& network) : network_(network) {
    require_float_outputs(config, network);
    if (network.outputs.size() != 1 || network.outputs[0].shape.size() != 3)
      reject_outputs(config, network, kExpected);
    if (const auto value = config.find("property", "segmentation-output-order"))
      by_pixel_ =
          value->as_one_of<bool>({{"0", false}, {"nchw", false}, {"1", true}, {"nhwc", true}});
    const Shape& shape = network.outputs[0].shape;
    const std::int64_t classes = shape[by_pixel_ ? 2 : 0];
    height_ = shape[by_pixel_ ? 0 : 1], width_ = shape[by_pixel_ ? 1 : 2];
    if (classes < 1 || classes > kMostClasses || height_ < 1 || width_ < 1 ||
        height_ > kMostPixels || width_ > kMostPixels || height_ * width_ > kMostPixels)
      reject_outputs(config, network, kExpected);
    classes_ = static_cast<std::size_t>(classes);
    threshold_ = classes_ == 1 ? 0.5f : 0.0f;
    if (const auto value = config.find("property", "segmentation-threshold"))
      threshold_ = value->as_float(0, 1);
    if (const auto value = config.find("property", "num-detected-classes"))
      if (value->as_int(1, kMostClasses) != static_cast<int>(classes_))
        value->fail("the network tells apart " + std::to_string(classes_));
    names_ = read_class_names(config, classes_);
  }

  NetworkRole role() const override { return NetworkRole::kSegmentation; }

  Results decode(std::span<const Tensor> outputs) const override {
    const FloatOutputs values(outputs, network_);
    const auto pixels = static_cast<std::size_t>(height_ * width_);
    ClassMap map{height_, width_, std::make_shared<std::vector<std::int32_t>>(pixels),
                 std::vector<float>(pixels)};
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      const auto [class_id, confidence] = strongest(values[0], pixel, pixels);
      (*map.classes)[pixel] = class_id;
      map.confidences[pixel] = confidence;
    }
    return results_of(std::move(map), names_);
  }

 private:
  struct Strongest {
    std::int32_t class_id;
    float confidence;
  };

  // Of equal ones the first; what is not finite is no score.
  Strongest strongest(std::span<const float> scores, std::size_t pixel, std::size_t pixels) const {
    Strongest best{kNoClass, 0};
    for (std::size_t id = 0; id < classes_; ++id) {
      const float score = scores[by_pixel_ ? pixel * classes_ + id : id * pixels + pixel];
      if (std::isfinite(score) && (best.class_id == kNoClass || score > best.confidence))
        best = {static_cast<std::int32_t>(id), score};
    }
    // Without a threshold the strongest counts, whatever scores are: they may be logits.
    if (threshold_ > 0 && best.confidence < threshold_) best.class_id = kNoClass;
    return best;
  }

  NetworkShape network_;
  bool by_pixel_ = false;
  std::int64_t height_ = 0, width_ = 0;
  std::size_t classes_ = 0;
  float threshold_ = 0;
  std::vector<std::string> names_;
};

const FamilyRegistration registration({{"segmentation"},
                                       NetworkRole::kSegmentation,
                                       std::string("a class for each pixel: ") + kExpected,
                                       make_family<Segmentation>,
                                       [](const ConfigFile& config, const NetworkShape& network) {
                                         const auto classes = stated_classes(config);
                                         return network.outputs.size() == 1 && classes &&
                                                *classes > 1 &&
                                                network.outputs[0].shape ==
                                                    Shape{*classes, network.input.height,
                                                          network.input.width};
                                       }});

}  // namespace

}  // namespace sightline
