// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/outputs.h"

#include <algorithm>
#include <cstring>

namespace sightline {

namespace {

bool is_float(ElementType type) {
  return type == ElementType::kFloat32 || type == ElementType::kFloat16;
}

std::string describe(ElementType type, const Shape& shape) {
  return std::string(name_of(type)) + " " + to_string(shape);
}

bool agrees(const Shape& found, const Shape& stated) {
  return std::equal(found.begin(), found.end(), stated.begin(), stated.end(),
                    [](auto a, auto b) { return a >= 0 && (b < 0 || a == b); });
}

}  // namespace

std::vector<float> from_half(const Tensor& tensor) {
  std::vector<float> values(tensor.count());
  const std::byte* const halves = tensor.on_host();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t half;
    std::memcpy(&half, halves + 2 * i, sizeof half);
    values[i] = half_to_float(half);
  }
  return values;
}

bool has_output_named(const NetworkShape& network, std::string_view word) {
  return std::ranges::any_of(network.outputs, [&](const NetworkShape::Output& output) {
    return output.name.find(word) != std::string::npos;
  });
}

std::string describe_outputs(const NetworkShape& network) {
  std::string found;
  for (const NetworkShape::Output& output : network.outputs)
    found += (found.empty() ? "" : ", ") + ("\"" + output.name + "\" ") +
             describe(output.type, output.shape);
  return found.empty() ? "no output" : found;
}

void reject_outputs(const ConfigFile& config, const NetworkShape& network,
                    const std::string& expected) {
  const auto family = config.find("property", "model-family");
  throw Error(ErrorCode::kModel,
              (family ? family->where() + ": model-family = " + family->text() : config.name()) +
                  ": the network does not fit. Expected " + expected + "; found " +
                  describe_outputs(network) +
                  " (without the batch dimension). Choose another model-family, or the outputs "
                  "that matter with output-blob-names");
}

void require_float_outputs(const ConfigFile& config, const NetworkShape& network) {
  for (const NetworkShape::Output& output : network.outputs)
    if (!is_float(output.type))
      reject_outputs(config, network, "outputs of float32 or float16 only");
}

void check_outputs(std::span<const Tensor> outputs, const NetworkShape& network) {
  if (outputs.size() != network.outputs.size())
    throw Error(ErrorCode::kModel, "the network gave " + std::to_string(outputs.size()) +
                                       " outputs, expected " +
                                       std::to_string(network.outputs.size()));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const NetworkShape::Output& stated = network.outputs[i];
    if (outputs[i].type != stated.type || !agrees(outputs[i].shape, stated.shape))
      throw Error(ErrorCode::kModel, "output \"" + stated.name + "\" is " +
                                         describe(outputs[i].type, outputs[i].shape) +
                                         ", expected " + describe(stated.type, stated.shape));
    if (outputs[i].data == nullptr && outputs[i].count() > 0)
      throw Error(ErrorCode::kModel, "output \"" + stated.name + "\" holds no data");
  }
}

Shape without_ones(const Shape& shape) {
  Shape kept;
  std::copy_if(shape.begin(), shape.end(), std::back_inserter(kept),
               [](std::int64_t dimension) { return dimension != 1; });
  return kept;
}

FloatOutputs::FloatOutputs(std::span<const Tensor> outputs, const NetworkShape& network)
    : tensors_(outputs) {
  check_outputs(outputs, network);
  views_.reserve(outputs.size());
  for (const Tensor& tensor : outputs) {
    if (tensor.type == ElementType::kFloat16)
      views_.emplace_back(converted_.emplace_back(from_half(tensor)));
    else
      views_.push_back(tensor.floats());
  }
}

}  // namespace sightline
