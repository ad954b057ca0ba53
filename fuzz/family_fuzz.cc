// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A model family with a configuration, a network and outputs of any kind: an Error at worst, and
// never a result that is no place, size or number. Which family says the file that is linked to
// this.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "core/error.h"
#include "family_shapes.h"

extern const char* const kFuzzedFamily;

namespace sightline::fuzz {

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", kFuzzedFamily, what);
  std::abort();
}

std::string configuration(Bytes& bytes) {
  static constexpr const char* kKeys[] = {"cluster-mode=0",
                                          "cluster-mode=1",
                                          "cluster-mode=3",
                                          "cluster-mode=4",
                                          "cluster-mode=2\nnms-class-agnostic=1",
                                          "num-detected-classes=1",
                                          "num-detected-classes=3",
                                          "labels=a;b",
                                          "filter-out-class-ids=0",
                                          "apply-softmax=1",
                                          "classifier-threshold=0.5",
                                          "head-sizes=2;3",
                                          "classifier-type=a;b",
                                          "regression-scale=1000000",
                                          "segmentation-threshold=0.5",
                                          "segmentation-output-order=1",
                                          "embedding-normalize=0",
                                          "landmark-scale=pixel",
                                          "unclip-ratio=3",
                                          "output-instance-mask=0"};
  static constexpr const char* kLimits[] = {"pre-cluster-threshold=0",
                                            "pre-cluster-threshold=1",
                                            "post-cluster-threshold=0.5",
                                            "nms-iou-threshold=0",
                                            "nms-iou-threshold=1",
                                            "eps=0.5",
                                            "eps=10",
                                            "minBoxes=2",
                                            "dbscan-min-score=0.7",
                                            "group-threshold=1",
                                            "topk=0",
                                            "topk=3",
                                            "detected-min-w=5"};
  std::string text = "[property]\nmodel-family=" + std::string(kFuzzedFamily) +
                     "\ndictionary-path=" + DICTIONARY + "\n";
  const bool counts = !bytes.one_in(4);  // most detectors must be told, some need not
  if (counts) text += bytes.one_in(2) ? "num-detected-classes=1\n" : "labels=face\n";
  for (std::size_t i = bytes.below(4); i > 0; --i) text += bytes.one_of(kKeys) + std::string("\n");
  for (const char* group : {"[class-attrs-all]\n", "[class-attrs-0]\n"}) {
    if (!bytes.one_in(2)) continue;
    text += group;
    for (std::size_t i = bytes.below(4); i > 0; --i)
      text += bytes.one_of(kLimits) + std::string("\n");
  }
  return text;
}

Tensor tensor_for(const NetworkShape::Output& output, Bytes& bytes) {
  std::vector<float> values(element_count(output.shape));
  for (float& value : values) value = bytes.number();
  Tensor tensor = Tensor::copy_of(output.name, output.shape, values);
  if (output.type != ElementType::kFloat16) return tensor;
  auto halves = std::make_shared<std::vector<std::uint16_t>>();
  for (const float value : values) halves->push_back(float_to_half(value));
  tensor.type = ElementType::kFloat16;
  tensor.data = reinterpret_cast<const std::byte*>(halves->data());
  tensor.owner = halves;
  return tensor;
}

bool is_finite(const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

void check(const Detection& detection, const Postprocessor& family) {
  const Rect& box = detection.box;
  require(std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
              std::isfinite(box.height) && !box.empty(),
          "a box that is none");
  require(std::isfinite(detection.confidence), "a confidence that is no number");
  require(detection.class_id >= 0 && !detection.label.empty(), "a class that there is not");
  if (const auto left = family.admitted(detection.class_id, box, {640, 480}))
    require(!left->empty(), "a box of which nothing is left");
  require(std::ranges::all_of(detection.landmarks, is_finite), "a landmark that is nowhere");
  require(detection.landmark_confidences.empty() ||
              detection.landmark_confidences.size() == detection.landmarks.size(),
          "another number of confidences than of landmarks");
  require(std::ranges::all_of(detection.landmark_confidences,
                              [](float value) { return std::isfinite(value); }),
          "a landmark's confidence that is no number");
  if (detection.corners)
    require(std::ranges::all_of(*detection.corners, is_finite), "a corner that is nowhere");
  if (!detection.mask) return;
  const Rect& area = detection.mask->area;
  require(std::isfinite(area.x) && std::isfinite(area.y) && std::isfinite(area.right()) &&
              std::isfinite(area.bottom()) && !area.empty(),
          "a mask that is nowhere");
  require(detection.mask->values.shape.size() == 2, "a mask that is no picture");
  for (const float value : detection.mask->values.floats())
    require(std::isfinite(value), "a mask's pixel that is no number");
}

void check(const Results& results, const Postprocessor& family) {
  for (const Detection& detection : results.detections) check(detection, family);
  require(std::ranges::all_of(results.landmarks, is_finite), "a landmark that is nowhere");
  for (const Classification& said : results.classifications)
    require(std::isfinite(said.confidence), "a confidence that is no number");
  for (const Tensor& tensor : results.tensors) {
    require(tensor.count() == 0 || tensor.data != nullptr, "a tensor without elements");
    if (family.role() == NetworkRole::kRaw || tensor.type != ElementType::kFloat32) continue;
    for (const float value : tensor.floats())
      require(std::isfinite(value), "a number that is none");
  }
}

void run(Bytes& bytes) {
  const std::string text = configuration(bytes);
  const NetworkShape network = shape_of(kFuzzedFamily, bytes);
  std::unique_ptr<Postprocessor> family;
  try {
    family = make_postprocessor(ConfigFile::parse(text, "fuzz.ini", "/"), network);
  } catch (const Error&) {
    return;
  }
  NetworkShape given = network;
  if (!given.outputs.empty() && bytes.one_in(16)) given.outputs[0].shape.push_back(2);
  std::vector<Tensor> outputs;
  for (const NetworkShape::Output& output : given.outputs)
    outputs.push_back(tensor_for(output, bytes));
  if (!outputs.empty() && bytes.one_in(16)) outputs.pop_back();
  try {
    check(family->decode(outputs), *family);
  } catch (const Error&) {
  }
}

}  // namespace

}  // namespace sightline::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sightline::fuzz::Bytes bytes({data, size});
  sightline::fuzz::run(bytes);
  return 0;
}
