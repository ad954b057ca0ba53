// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/parity_report.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "core/error.h"
#include "engine/model_file.h"
#include "meta/tensor.h"
#include "preprocess/reference.h"
#include "stage/mapped_frame.h"

namespace sightline {

namespace {

double number_at(const Tensor& tensor, std::size_t index) {
  const std::byte* at = tensor.data + index * size_of(tensor.type);
  const auto as = [&]<typename T>(T) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  switch (tensor.type) {
    case ElementType::kFloat32:
      return as(float{});
    case ElementType::kFloat16:
      return half_to_float(as(std::uint16_t{}));
    case ElementType::kUint8:
      return as(std::uint8_t{});
    case ElementType::kInt8:
      return as(std::int8_t{});
    case ElementType::kInt32:
      return as(std::int32_t{});
    case ElementType::kInt64:
      return static_cast<double>(as(std::int64_t{}));
    case ElementType::kFloat64:
      return as(double{});
    default:
      return std::to_integer<int>(*at);
  }
}

// As the network takes it: rounded to nearest and saturated where it takes integers.
std::vector<std::byte> stored(const std::vector<double>& values, ElementType type) {
  std::vector<std::byte> bytes(values.size() * size_of(type));
  const auto put = [&](std::size_t index, auto value) {
    std::memcpy(bytes.data() + index * sizeof value, &value, sizeof value);
  };
  for (std::size_t i = 0; i < values.size(); ++i) switch (type) {
      case ElementType::kFloat16:
        put(i, float_to_half(static_cast<float>(values[i])));
        break;
      case ElementType::kUint8:
        put(i, static_cast<std::uint8_t>(std::clamp(std::round(values[i]), 0.0, 255.0)));
        break;
      case ElementType::kInt8:
        put(i, static_cast<std::int8_t>(std::clamp(std::round(values[i]), -128.0, 127.0)));
        break;
      default:
        put(i, static_cast<float>(values[i]));
    }
  return bytes;
}

// What one step of a pixel's value is in the network's numbers, at most.
double step_of(const TensorSpec& spec) {
  if (spec.normalization == Normalization::kPerImage) return 1.0 / 64;
  double step = 0;
  for (const float deviation : spec.deviation)
    step = std::max(step, std::abs(static_cast<double>(spec.scale) / deviation));
  return step;
}

// Those of a stage on a frame or object, in order.
const SightTensor* tensor_of(const SightFrame* frame, const SightObject* object, guint stage_id,
                             const std::string& name, std::size_t index) {
  const guint count =
      object != nullptr ? sight_object_get_n_tensors(object) : sight_frame_get_n_tensors(frame);
  for (guint i = 0; i < count; ++i) {
    const SightTensor* tensor =
        object != nullptr ? sight_object_get_tensor(object, i) : sight_frame_get_tensor(frame, i);
    if (name == sight_tensor_get_name(tensor) && sight_tensor_get_stage_id(tensor) == stage_id &&
        index-- == 0)
      return tensor;
  }
  return nullptr;
}

struct Box {
  Rect box;
  int class_id = 0;
  double confidence = 0;
};

}  // namespace

struct ParityReference::Plain {
  Affine2 to_frame;
  std::optional<Rect> part;
  std::vector<double> input;
  std::vector<Tensor> outputs;
  Results results;
};

void ParityReport::take_larger(const ParityReport& other) {
  const auto larger = [](double& mine, double its) { mine = std::max(mine, its); };
  looks += other.looks;
  boxes += other.boxes;
  unmatched += other.unmatched;
  larger(input, other.input);
  larger(input_pixels, other.input_pixels);
  larger(box, other.box);
  larger(confidence, other.confidence);
  outputs.resize(std::max(outputs.size(), other.outputs.size()));
  relative_outputs.resize(outputs.size());
  for (std::size_t i = 0; i < other.outputs.size(); ++i) {
    larger(outputs[i], other.outputs[i]);
    larger(relative_outputs[i], other.relative_outputs[i]);
  }
}

ParityReference::ParityReference(std::shared_ptr<const Model> model,
                                 const std::filesystem::path& network)
    : model_(std::move(model)) {
  SessionOptions options;
  for (const TensorInfo& output : model_->engine().outputs())
    options.outputs.push_back(output.name);
  options.folder = std::filesystem::absolute(network).parent_path();
  session_ = load_session(ModelFile::read(network).bytes, options);
}

ParityReference::Plain ParityReference::look(const FrameView& frame, const Look& look) const {
  const Region& region = look.regions.front();
  Plain plain{region.to_frame, look.part, {}, {}, {}};
  plain.input = reference::preprocess(frame, region, model_->spec());
  const std::vector<std::byte> bytes = stored(plain.input, model_->spec().type);
  plain.outputs = session_->run(bytes.data(), 1, {});
  for (Tensor& output : plain.outputs)
    if (!output.shape.empty()) output.shape.erase(output.shape.begin());
  plain.results = model_->postprocessor().decode(plain.outputs);
  return plain;
}

ParityReport ParityReference::compare(GstBuffer* buffer, const GstVideoInfo& info,
                                      guint stage_id) const {
  const MappedFrame mapped(buffer, info);
  const SightFrame* frame = sight_buffer_get_frame(buffer);
  ParityReport report;
  report.outputs.resize(outputs().size());
  report.relative_outputs.resize(outputs().size());
  std::vector<Plain> seen;
  const auto add = [&](const Look& look, const SightObject* object, std::size_t index) {
    seen.push_back(this->look(mapped.view(), look));
    compare_tensors(frame, object, stage_id, index, seen.back(), report);
    ++report.looks;
  };
  if (!model_->selection().objects) {
    std::size_t index = 0;
    for (const Look& look : model_->looks(mapped.view().size)) add(look, nullptr, index++);
    if (model_->postprocessor().role() == NetworkRole::kDetector)
      compare_boxes(frame, stage_id, seen, report);
    return report;
  }
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (sight_object_get_stage_id(object) == stage_id || !model_->selection().takes(object))
      continue;
    if (const auto look = model_->look(mapped.view().size, object)) add(*look, object, 0);
  }
  return report;
}

void ParityReference::compare_tensors(const SightFrame* frame, const SightObject* object,
                                      guint stage_id, std::size_t index, const Plain& plain,
                                      ParityReport& report) const {
  const auto find = [&](const std::string& name) -> const Tensor& {
    const SightTensor* tensor = tensor_of(frame, object, stage_id, name, index);
    if (tensor == nullptr)
      throw Error(ErrorCode::kFailed,
                  model_->config_file() + ": the stage attached no tensor \"" + name + "\"");
    return unwrap(tensor);
  };
  const Tensor& input = find(model_->input_name());
  for (std::size_t i = 0; i < plain.input.size(); ++i)
    report.input = std::max(report.input, std::abs(number_at(input, i) - plain.input[i]));
  report.input_pixels = report.input / step_of(model_->spec());
  for (std::size_t o = 0; o < plain.outputs.size(); ++o) {
    const Tensor& expected = plain.outputs[o];
    const Tensor& found = find(expected.name);
    double largest = 0, difference = 0;
    for (std::size_t i = 0; i < expected.count(); ++i) {
      largest = std::max(largest, std::abs(number_at(expected, i)));
      difference = std::max(difference, std::abs(number_at(found, i) - number_at(expected, i)));
    }
    report.outputs[o] = std::max(report.outputs[o], difference);
    report.relative_outputs[o] =
        std::max(report.relative_outputs[o], difference / std::max(largest, 1e-12));
  }
}

void ParityReference::compare_boxes(const SightFrame* frame, guint stage_id,
                                    const std::vector<Plain>& plain, ParityReport& report) const {
  const Size size{static_cast<int>(sight_frame_get_width(frame)),
                  static_cast<int>(sight_frame_get_height(frame))};
  const Rect bounds{0, 0, static_cast<float>(size.width), static_cast<float>(size.height)};
  std::vector<RegionResults> regions;
  for (const Plain& one : plain) {
    regions.push_back({0, one.to_frame, {}, one.results});
    regions.back().part = one.part;
  }
  if (regions.size() > 1) model_->parts().merge(regions, size);
  std::vector<Box> expected;
  for (const RegionResults& region : regions)
    for (const Detection& detection : region.results.detections) {
      const auto box = model_->postprocessor().admitted(
          detection.class_id, region.to_frame.bounds(detection.box), size);
      if (box && !intersection(*box, bounds).empty())
        expected.push_back({*box, detection.class_id, detection.confidence});
    }
  std::size_t found = 0;
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (sight_object_get_stage_id(object) != stage_id) continue;
    SightBox its;
    sight_object_get_box(object, &its);
    const Rect box{its.x, its.y, its.width, its.height};
    const auto best = std::ranges::max_element(expected, {}, [&](const Box& other) {
      return other.class_id == sight_object_get_class_id(object) ? iou(box, other.box) : -1;
    });
    if (best == expected.end() || best->class_id != sight_object_get_class_id(object) ||
        iou(box, best->box) < 0.5f) {
      ++report.unmatched;
      continue;
    }
    ++found;
    for (const float difference :
         {box.x - best->box.x, box.y - best->box.y, box.right() - best->box.right(),
          box.bottom() - best->box.bottom()})
      report.box = std::max(report.box, std::abs(static_cast<double>(difference)));
    report.confidence = std::max(report.confidence,
                                 std::abs(sight_object_get_confidence(object) - best->confidence));
    expected.erase(best);
  }
  report.boxes += found;
  report.unmatched += expected.size();
}

}  // namespace sightline
