// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/model_demand.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "engine/session.h"

namespace sightline {

namespace {

constexpr std::array kImageTypes = {ElementType::kFloat32, ElementType::kFloat16,
                                    ElementType::kUint8, ElementType::kInt8};
constexpr std::string_view kAuto = "auto";
constexpr std::size_t kLargestItem = std::size_t{1} << 30;

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorCode::kModel, what); }

// The GPU's number of "cuda:N", or of "cuda", which is the first.
std::optional<int> gpu_of(std::string_view device) {
  constexpr std::string_view kCuda = "cuda";
  if (device == kCuda) return 0;
  if (!device.starts_with("cuda:")) return std::nullopt;
  const std::string_view number = device.substr(kCuda.size() + 1);
  int gpu = 0;
  const auto [end, failure] = std::from_chars(number.begin(), number.end(), gpu);
  if (failure != std::errc() || end != number.end() || gpu < 0) return std::nullopt;
  return gpu;
}

// Asked once a process, since it loads the runtime's provider.
bool first_gpu_is_usable() {
  static const bool usable = gpu_complaint(0).empty();
  return usable;
}

// "auto:N" is what nvinfer's gpu-id asks for: this GPU where there are any.
bool is_auto_for_gpu(std::string_view device) {
  return device.starts_with(kAuto) && device.substr(kAuto.size()).starts_with(':');
}

template <typename List, typename Name>
std::string listed(const List& list, Name name) {
  std::string text;
  for (const auto& entry : list) text += (text.empty() ? "\"" : ", \"") + name(entry) + "\"";
  return text;
}

std::string names_of(const std::vector<onnx::ValueInfo>& values) {
  return listed(values, [](const onnx::ValueInfo& value) { return value.name; });
}

const onnx::ValueInfo& the_image_input(const onnx::Summary& model) {
  if (model.inputs.size() != 1)
    fail("has " + std::to_string(model.inputs.size()) + " inputs" +
         (model.inputs.empty() ? "" : " (" + names_of(model.inputs) + ")") +
         ", expected one image");
  const onnx::ValueInfo& input = model.inputs.front();
  if (!input.type ||
      std::find(kImageTypes.begin(), kImageTypes.end(), *input.type) == kImageTypes.end())
    fail("input \"" + input.name + "\" is " + input.type_name +
         ", expected an image of float32, float16, uint8 or int8");
  if (!input.shape || input.shape->size() < 2)
    fail("input \"" + input.name + "\" has the shape " +
         (input.shape ? to_string(*input.shape) : "of no stated rank") +
         ", expected a batch dimension and those of an image");
  return input;
}

Shape item_shape(const onnx::ValueInfo& input, const Shape& wanted) {
  Shape item(input.shape->begin() + 1, input.shape->end());
  const auto open = [](std::int64_t dimension) { return dimension < 0; };
  if (wanted.empty() && std::any_of(item.begin(), item.end(), open))
    fail("input \"" + input.name + "\" is " + to_string(*input.shape) +
         ", which leaves dimensions open: say infer-dims = " + (item.size() == 3 ? "c;h;w" : "…") +
         ", one number for each but the first, in the network's own order");
  if (!wanted.empty()) {
    bool fits = item.size() == wanted.size();
    for (std::size_t i = 0; fits && i < item.size(); ++i)
      fits = wanted[i] > 0 && (item[i] < 0 || item[i] == wanted[i]);
    if (!fits) {
      std::string text;
      for (const std::int64_t dimension : wanted)
        text += (text.empty() ? "" : ";") + std::to_string(dimension);
      fail("the network's input \"" + input.name + "\" is " + to_string(*input.shape) +
           ", the configuration says infer-dims = " + text + ".");
    }
    item = wanted;
  }
  std::size_t bytes = size_of(*input.type);
  for (const std::int64_t dimension : item)
    if (dimension < 1 ||
        __builtin_mul_overflow(bytes, static_cast<std::size_t>(dimension), &bytes) ||
        bytes > kLargestItem)
      fail("input \"" + input.name + "\" has items of shape " + to_string(item) +
           ", expected an image of 1 byte to 1 GiB");
  return item;
}

std::vector<std::string> output_names(const onnx::Summary& model,
                                      const std::vector<std::string>& wanted) {
  std::vector<std::string> names = wanted;
  if (names.empty())
    for (const onnx::ValueInfo& output : model.outputs) names.push_back(output.name);
  if (names.empty()) fail("has no output");
  for (const std::string& name : names) {
    const auto found =
        std::find_if(model.outputs.begin(), model.outputs.end(),
                     [&](const onnx::ValueInfo& output) { return output.name == name; });
    if (found == model.outputs.end())
      fail("has no output \"" + name + "\" (output-blob-names). It has " + names_of(model.outputs));
    if (!found->type)
      fail("output \"" + name + "\" is " + found->type_name + ", expected a tensor of numbers");
    if (std::count(names.begin(), names.end(), name) > 1)
      fail("output \"" + name + "\" is asked for twice (output-blob-names)");
  }
  return names;
}

}  // namespace

bool is_device_name(const std::string& device) {
  return device == "auto" || device == "cpu" || gpu_of(device);
}

std::optional<int> find_gpu(const std::string& device) {
  if (device == "cpu") return std::nullopt;
  if (device == "auto") return first_gpu_is_usable() ? std::optional<int>(0) : std::nullopt;
  if (is_auto_for_gpu(device) && !first_gpu_is_usable()) return std::nullopt;
  const std::optional<int> gpu =
      gpu_of(is_auto_for_gpu(device) ? "cuda" + device.substr(kAuto.size()) : device);
  if (!gpu)
    throw Error(ErrorCode::kDevice, "device \"" + device +
                                        "\" is unknown. Use device = cpu, cuda:0 (the number of a "
                                        "GPU) or auto");
  if (const std::string complaint = gpu_complaint(*gpu); !complaint.empty())
    throw Error(ErrorCode::kDevice, "device \"" + device + "\" is not there: " + complaint +
                                        ". Without it, use device = cpu or auto");
  return gpu;
}

ModelDemand resolve(const EngineOptions& options, const onnx::Summary& model) {
  ModelDemand demand;
  demand.gpu = find_gpu(options.device);
  demand.device = demand.gpu ? "cuda:" + std::to_string(*demand.gpu) : "cpu";
  demand.item = item_shape(the_image_input(model), options.input_shape);
  demand.outputs = output_names(model, options.output_names);
  return demand;
}

}  // namespace sightline
